"""Directive `model-zoo`: the zoo's catalog as a table, built with the pages."""

import re
from html import escape

from brickwork_models import model_library
from brickwork_zoo import list_models
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

COLUMNS = (
    # heading, whether the column holds numbers
    ("name", False),
    ("model", False),
    ("parameters", True),
    ("MACs", True),
    ("size", True),
    ("top-1", True),
    ("top-5", True),
    ("SHA-256", False),
    ("create_model", False),
)


def cell(value: float | None, unit: float, places: int, suffix: str) -> str:
    if value is None:
        return '<td class="number" data-sort="">&ndash;</td>'
    return f'<td class="number" data-sort="{value}">{value / unit:.{places}f}{suffix}</td>'


def row(model) -> str:
    checked = f"<code>{model.sha256[:8]}</code>" if model.sha256 else "&ndash;"
    first = escape(model.urls[0]) if model.urls else ""
    name = re.sub(r"(://|[._/-])", r"\1<wbr>", escape(model.uri))  # allowed line breaks
    return (
        "<tr>"
        f'<td><a href="{first}"><code>{name}</code></a></td>'
        f"<td>{escape(model.architecture or model.family) or '&ndash;'}</td>"
        + cell(model.params, 1e6, 1, " M")
        + cell(model.flops, 1e9, 2, " G")
        + cell(model.size, 1e6, 0, " MB")
        + cell(model.metrics.get("acc1"), 1, 2, "")
        + cell(model.metrics.get("acc5"), 1, 2, "")
        + f"<td>{checked}</td><td>{model_library(model.uri) or '&ndash;'}</td></tr>"
    )


class ModelZoo(SphinxDirective):
    """Table with a box for filtering and headings for sorting."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(__file__)
        models = list_models()
        headings = "".join(
            f'<th scope="col" aria-sort="none"{" class=number" if number else ""}>'
            f'<button type="button">{heading}</button></th>'
            for heading, number in COLUMNS
        )
        html = (
            '<div class="zoo">'
            '<p><input type="search" placeholder="resnet 50 torchvision" autofocus'
            ' aria-label="Filter words"> '
            f'<output aria-live="polite">{len(models)} of {len(models)}</output> models</p>'
            f'<div class="zoo-table"><table><thead><tr>{headings}</tr></thead>'
            f"<tbody>{''.join(map(row, models))}</tbody></table></div></div>"
        )
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("model-zoo", ModelZoo)
    app.add_js_file("model-zoo.js", loading_method="defer")
    return {"parallel_read_safe": True}
