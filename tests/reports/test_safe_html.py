"""What a cell shows reaches a page only as far as it is harmless."""

import pytest

from crm.reporting.prose import prose_html, question_of, with_anchors
from crm.reporting.safe_html import safe_html

PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=//example.com/x.js></SCRIPT>",
        "<script>never closed",
        "<style>@import url(//example.com)</style>",
        '<img src="http://example.com/x.png">',
        '<img src="x" onerror="alert(1)">',
        '<img src="data:text/html;base64,PHNjcmlwdD4=">',
        '<img src="picture-0">',
        '<svg onload="alert(1)"><a href="javascript:alert(1)">x</a></svg>',
        '<iframe src="//example.com"></iframe>',
        '<meta http-equiv="refresh" content="0;url=//example.com">',
        '<base href="//example.com/">',
        '<form action="//example.com"><input name="a"></form>',
        '<link rel="stylesheet" href="//example.com/x.css">',
        "<object data=x></object><embed src=x>",
    ],
)
def test_what_runs_or_loads_is_gone(html):
    assert safe_html(f"<p>before</p>{html}").replace("\n", "") == "<p>before</p>"


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ('<p onclick="alert(1)" style="position:fixed">text</p>', "<p>text</p>"),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ("<!-- note --><p>a &lt;b&gt; &amp; c</p>", "<p>a &lt;b&gt; &amp; c</p>"),
        (
            '<table><tbody><tr><td data-sort="1.5" data-x="2">1</td></tr></tbody></table>',
            '<table><tbody><tr><td data-sort="1.5">1</td></tr></tbody></table>',
        ),
        ('<aside class="assumptions"><p>x</p></aside>', '<aside class="assumptions"><p>x</p></aside>'),
        ('<button onclick="x()">x</button><input type="search">', "x"),
        (f'<img src="{PIXEL}" alt="">', f'<img alt="A picture without description" src="{PIXEL}">'),
        (f'<img src="{PIXEL}" alt="Sales" onload="x()">', f'<img src="{PIXEL}" alt="Sales">'),
    ],
)
def test_what_is_harmless_stays(html, left):
    assert safe_html(html) == left


def test_pictures_keep_their_places():
    other = PIXEL.replace("Rw0K", "AAAA")
    cleaned = safe_html(f'<img src="{PIXEL}" alt="a"><img src="http://x/" alt="b"><img src="{other}" alt="c">')
    assert cleaned == f'<img src="{PIXEL}" alt="a"><img src="{other}" alt="c">'


def test_our_own_objects_pass_unharmed():
    import pandas as pd

    from crm.reporting import draw_bars, show_table

    sales = pd.DataFrame({"department": ["Meat & fish", "<script>"], "net_sales": [1.5, 2.5]})
    for shown in (
        draw_bars(sales, label="department", value="net_sales", title="It's “T”", unit="USD"),
        show_table(sales, caption="C"),
    ):
        html = shown._repr_html_()
        kept = safe_html(html)
        for word in (
            "alt=",
            'scope="col"',
            'class="number"',
            "<caption>",
            'tabindex="0"',
            "data:image/svg",
            "<summary>",
        ):
            assert (word in kept) == (word in html), word
        assert "<script" not in kept


def test_markdown_is_text_with_emphasis_and_html_in_it_is_shown():
    html = prose_html(
        "# Why?\n\n*So* it <b>is</b>, says `x < y`.\n\n[there](javascript:alert(1)) ![x](http://example.com/x.png)"
    )
    question, rest = question_of(html)
    assert question == "Why?"
    assert "<em>So</em> it &lt;b&gt;is&lt;/b&gt;" in rest
    assert "<code>x &lt; y</code>" in rest
    assert "javascript:" not in rest
    assert "<img" not in rest


def test_sections_get_names_that_are_there_once():
    html, sections = with_anchors("<h2>What to do</h2><h3>Now</h3><h2>What to do</h2><h2>???</h2>", {"now"})
    assert [(section.anchor, section.name) for section in sections] == [
        ("what-to-do", "What to do"),
        ("what-to-do-2", "What to do"),
        ("section", "???"),
    ]
    assert '<h3 id="now-2">Now</h3>' in html
