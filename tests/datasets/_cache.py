"""A tiny OpenML, as scikit-learn keeps it on disk."""

import gzip
import hashlib
import json


def column(name, data_type, *, values=None, missing=0, role=None):
    """What OpenML says about a column; role: target, ignore or row_identifier."""
    said = {
        "name": name,
        "data_type": data_type,
        "number_of_missing_values": str(missing),
    }
    for flag in ("target", "ignore", "row_identifier"):
        said[f"is_{flag}"] = "true" if flag == role else "false"
    if values is not None:
        said["nominal_value"] = values
    return said


def add_data_set(
    home, data_id, columns, rows, *, described=None, header=None, encoding="utf-8"
):
    """Write a data set to a cache; return the file with its rows."""
    name, version = "pets", 1
    root = home / "openml" / "openml.org"
    if header is None:
        header = "\n".join(
            f"@ATTRIBUTE {_quote(c['name'])} {_arff(c)}" for c in columns
        )
    arff = f"% tiny\n@RELATION {name}\n{header}\n@DATA\n" + "\n".join(rows) + "\n"
    content = arff.encode(encoding)
    # Up to scikit-learn 1.6 files are found by their id, later by their address.
    url = f"https://www.openml.org/data/v1/download/{data_id}"
    description = {
        "id": str(data_id),
        "name": name,
        "version": str(version),
        "description": "Some pets. See https://example.org/pets for more.",
        "format": "ARFF",
        "status": "active",
        "url": url,
        "file_id": str(data_id),
        "md5_checksum": hashlib.md5(content).hexdigest(),
    } | (described or {})
    api = "api/v1/json/data"
    numbered = [{"index": str(i), **each} for i, each in enumerate(columns)]
    qualities = [{"name": "NumberOfInstances", "value": str(len(rows))}]
    found = {"did": data_id, "name": name, "version": version, "status": "active"}
    listed = {"data": {"dataset": [found]}}
    for path, answer in {
        f"{api}/{data_id}": {"data_set_description": description},
        f"{api}/features/{data_id}": {"data_features": {"feature": numbered}},
        f"{api}/qualities/{data_id}": {"data_qualities": {"quality": qualities}},
        f"{api}/list/data_name/{name}/limit/2/data_version/{version}": listed,
        f"{api}/list/data_name/{name}/limit/2/status/active/": listed,
    }.items():
        _write(root / f"{path}.gz", json.dumps(answer).encode())
    file = root / f"data/v1/download/{data_id}.gz"
    _write(file, content)
    return file


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content))


def _quote(name):
    return f"'{name}'" if " " in name else name


def _arff(column):
    if column["data_type"] != "nominal":
        return column["data_type"].upper()
    return "{" + ",".join(f"'{value}'" for value in column["nominal_value"]) + "}"
