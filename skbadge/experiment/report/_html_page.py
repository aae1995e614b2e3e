"""Reports as one page of HTML, which needs no other file."""

import base64
from hashlib import sha256
from html import escape
from importlib.resources import files

from skbadge.experiment.report._blocks import (
    TITLE,
    File,
    Heading,
    Picture,
    Table,
    Text,
    is_numeric,
    shown,
)

# What a report begins with, and nothing else.
HTML_START = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="generator" content="skbadge report">\n'
)
# Browsers let nothing in but pictures of the page, and its own style and script.
_HEAD = """\
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{contents}
<main>
<h1>{title}</h1>
"""
_NUMBER = ' class="number"'
# Longer texts in cells are broken into lines.
_LONG = 40
# The sizes that a PNG file says of itself, and the dots of a CSS pixel in a picture.
_WIDTH, _HEIGHT, _DOTS = slice(16, 20), slice(20, 24), 1.25


def html_page(blocks, folder):
    """Blocks as a page that holds the files of a folder which they name."""
    style, script = (
        files("skbadge.experiment.report").joinpath(name).read_text(encoding="utf-8")
        for name in ("page.css", "page.js")
    )
    head = _HEAD.format(
        title=escape(TITLE),
        style=style,
        style_hash=_digest(style),
        script_hash=_digest(script),
        contents=_contents(blocks),
    )
    parts, label = [], TITLE
    for number, block in enumerate(blocks):
        if isinstance(block, Heading):
            label = block.text
        parts.append(_html(block, number, label, folder))
    tail = f"</main>\n<script>{script}</script>\n</body>\n</html>\n"
    return "\n".join([HTML_START + head, *parts, tail])


def _digest(text):
    return base64.b64encode(sha256(text.encode()).digest()).decode()


def _contents(blocks):
    """Links to all headings, those of parts within those of their sections."""
    sections = []
    for number, block in enumerate(blocks):
        if isinstance(block, Heading):
            link = f'<a href="#s{number}">{escape(block.text)}</a>'
            if block.level == 2:
                sections.append((link, []))
            else:
                sections[-1][1].append(link)
    links = _list(link + _list(parts) for link, parts in sections)
    return (
        '<nav aria-label="Contents"><details open><summary>Contents</summary>'
        f"{links}</details></nav>"
    )


def _list(items):
    lines = "\n".join(f"<li>{item}</li>" for item in items)
    return f"\n<ul>{lines}</ul>" if lines else ""


def _html(block, number, label, folder):
    match block:
        case Heading(text, level):
            return f'<h{level} id="s{number}">{escape(text)}</h{level}>'
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Table(frame, n_foot):
            return _scrolled(_table(frame, n_foot), f"Table: {label}")
        case File(name, text):
            data = _data_uri((folder / name).read_bytes(), "text/csv")
            link = f'<a download="{escape(name)}" href="{data}">{escape(name)}</a>'
            return f'<p class="file">{escape(text)} {link}</p>'
        case Picture(name, caption):
            image = _image((folder / name).read_bytes(), caption)
            return (
                f"<figure>{_scrolled(image, f'Picture: {caption}')}"
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            )


def _scrolled(content, label):
    """What may be wider than the page, and scrolls in itself, by keys as well."""
    return (
        f'<div class="scroll" role="region" aria-label="{escape(label)}" '
        f'tabindex="0">{content}</div>'
    )


def _data_uri(content, kind):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _image(content, caption):
    width, height = (
        round(int.from_bytes(content[place], "big") / _DOTS)
        for place in (_WIDTH, _HEIGHT)
    )
    return (
        f'<img alt="{escape(caption)}" width="{width}" height="{height}" '
        f'src="{_data_uri(content, "image/png")}">'
    )


def _table(frame, n_foot):
    numeric = [is_numeric(frame[name]) for name in frame.columns]
    head = "".join(
        f'<th scope="col"{_NUMBER if each else ""}>{escape(str(name))}</th>'
        for name, each in zip(frame.columns, numeric, strict=True)
    )
    lines = [
        f"<tr>{''.join(map(_cell, line, numeric))}</tr>"
        for line in frame.itertuples(index=False, name=None)
    ]
    n_body = len(lines) - n_foot
    body, foot = "\n".join(lines[:n_body]), "\n".join(lines[n_body:])
    foot = f"<tfoot>{foot}</tfoot>" if foot else ""
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>{foot}</table>"


def _cell(value, is_number):
    text = shown(value)
    if is_number:
        # What is shown is rounded, and order is by what it was.
        number = "nan" if text == "-" else repr(float(value))
        attributes = f'{_NUMBER} data-value="{number}"'
    else:
        attributes = ' class="long"' if len(text) > _LONG else ""
    return f"<td{attributes}>{escape(text)}</td>"
