"""What Label Studio exports, written after its documented formats."""


def choice(*labels, name="label", kind="choices"):
    return {
        "value": {kind: list(labels) if kind == "choices" else labels[0]},
        "id": "Dx_aB91ISN",
        "from_name": name,
        "to_name": "text",
        "type": kind,
        "origin": "manual",
    }


def annotation(number, *results, by=1, at="2024-05-02T09:15:01.728353Z", **more):
    return {
        "id": number,
        "completed_by": by,
        "result": list(results),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2024-05-02T09:15:01.728331Z",
        "updated_at": at,
        "draft_created_at": None,
        "lead_time": 4.288,
        "prediction": {},
        "result_count": len(results),
        "unique_id": f"0e3d8c3c-0000-4d57-b9d6-{number:012}",
        "import_id": None,
        "last_action": None,
        "bulk_created": False,
        "task": 1,
        "project": 83,
        "updated_by": 1,
        "parent_prediction": None,
        "parent_annotation": None,
        "last_created_by": None,
        **more,
    }


def task(number, row, *annotations, **more):
    data = {"text": "<b>hello</b>"}
    return {
        "id": number,
        "annotations": list(annotations),
        "file_upload": "1f2e3d4c-tasks.json",
        "drafts": [],
        "predictions": [{"id": 5, "score": 0.5, "result": [choice("dog")]}],
        "data": data if row is None else data | {"skbadge_id": row},
        "meta": {},
        "created_at": "2024-05-01T21:52:49.513742Z",
        "updated_at": "2024-05-02T09:15:01.746926Z",
        "inner_id": number,
        "total_annotations": len(annotations),
        "cancelled_annotations": 0,
        "total_predictions": 1,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 83,
        "updated_by": 1,
        "comment_authors": [],
        **more,
    }


def flat(number, row, value, annotator=1, task_id=1, **more):
    """One record of JSON_MIN."""
    return {
        "text": "hello",
        "skbadge_id": row,
        "id": task_id,
        **({} if value is None else {"label": value}),
        "annotator": annotator,
        "annotation_id": number,
        "created_at": "2024-05-02T09:15:01.728331Z",
        "updated_at": "2024-05-02T09:15:01.728353Z",
        "lead_time": 4.288,
        **more,
    }
