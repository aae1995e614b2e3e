"""A page of HTML as a test reads it."""

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr", "input", "link"}


class HTMLPage(HTMLParser):
    """Elements, tables and texts of a page; every tag that is opened must be closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.tables, self.paragraphs = [], [], []
        self._open = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} is there twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("p", "h1", "h2", "h3", "a", "figcaption"):
            self.paragraphs.append((tag, ""))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, text):
        inner = self._open[-1] if self._open else None
        if inner in ("td", "th"):
            self.tables[-1][-1][-1] += text
        elif self.paragraphs and inner == self.paragraphs[-1][0]:
            self.paragraphs[-1] = inner, self.paragraphs[-1][1] + text

    def of(self, tag):
        """Attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def texts(self, tag):
        return [text for name, text in self.paragraphs if name == tag]
