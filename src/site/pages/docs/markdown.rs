//! From the Markdown of `docs/` to the HTML of a page: CommonMark with tables, notes (`> [!NOTE]`) and headings that name their anchor
//! (`## Levels {#levels}`). Beyond that:
//!
//! - the first word behind a fence is its language, `#id` behind it the anchor of the block, all else what its head says;
//! - a command (`sh`) calls this site where it is written with the address of a fresh one (`SiteOrigin`);
//! - a link to `limits.md` is one to `/docs/limits`;
//! - `<!-- generated: codes -->` is what the code knows better (`generated`).

use super::generated;
use crate::ui::{CodeBlock, Icon, IconView, SiteOrigin};
use leptos::prelude::*;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_HEADING_ATTRIBUTES).union(Options::ENABLE_GFM);

pub fn to_html(markdown: &str) -> String {
    let mut writer = Writer::default();
    let events = Parser::new_ext(markdown, OPTIONS).filter_map(|event| writer.next(event));
    let mut page = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut page, events);
    page
}

/// Where in the text it is.
#[derive(Default)]
struct Writer<'a> {
    /// What stands behind the fence, and the lines since.
    code: Option<(CowStr<'a>, String)>,
    codes: usize,
    /// The last heading with an anchor: it names the table below.
    heading: String,
    is_in_head: bool,
    /// Of the columns of this table: on a phone each cell says its own.
    heads: Vec<String>,
    /// Of this row of it.
    cells: usize,
    is_in_note: bool,
}

impl<'a> Writer<'a> {
    /// The event as it is written; none if it adds to one that comes.
    fn next(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        Some(match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = if let CodeBlockKind::Fenced(info) = kind { info } else { CowStr::Borrowed("") };
                self.code = Some((info, String::new()));
                return None;
            }
            Event::Text(text) if self.code.is_some() => {
                self.code.as_mut()?.1.push_str(&text);
                return None;
            }
            Event::End(TagEnd::CodeBlock) => {
                let (info, code) = self.code.take()?;
                self.codes += 1;
                raw(code_block(&info, self.codes, &code))
            }
            Event::Html(line) => match generated::named(&line) {
                Some(part) => raw(part),
                None => Event::Html(line),
            },
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                if let Some(id) = &id {
                    self.heading = id.to_string();
                }
                Event::Start(Tag::Heading { level, id, classes, attrs })
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = page_of(&dest_url).map_or(dest_url, CowStr::from);
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            Event::Start(Tag::BlockQuote(Some(_))) => {
                self.is_in_note = true;
                raw(format!("<div class=\"note\">{}<div>", view! { <IconView icon=Icon::Info/> }.to_html()))
            }
            Event::End(TagEnd::BlockQuote(_)) if std::mem::take(&mut self.is_in_note) => raw("</div></div>".to_owned()),
            event => self.table(event),
        })
    }

    /// Tables as everywhere: framed, with heads of columns and rows.
    fn table(&mut self, event: Event<'a>) -> Event<'a> {
        match &event {
            Event::Start(Tag::Table(_)) => raw(format!("<div class=\"table-wrap\"><table class=\"table\" aria-labelledby=\"{}\">", self.heading)),
            Event::End(TagEnd::Table) => raw("</tbody></table></div>".to_owned()),
            Event::Start(Tag::TableHead) => {
                (self.is_in_head, self.cells) = (true, 0);
                self.heads.clear();
                event
            }
            Event::End(TagEnd::TableHead) => {
                self.is_in_head = false;
                event
            }
            Event::Text(words) | Event::Code(words) if self.is_in_head => {
                self.heads.last_mut().into_iter().for_each(|head| head.push_str(words));
                event
            }
            Event::Start(Tag::TableRow) => {
                self.cells = 0;
                event
            }
            Event::Start(Tag::TableCell) if self.is_in_head => {
                self.heads.push(String::new());
                raw("<th scope=\"col\">".to_owned())
            }
            Event::Start(Tag::TableCell) => {
                self.cells += 1;
                let head = self.heads.get(self.cells - 1).map_or("", String::as_str);
                raw(if self.cells == 1 { "<th scope=\"row\">".to_owned() } else { format!("<td data-head=\"{}\">", head.replace('"', "&quot;")) })
            }
            Event::End(TagEnd::TableCell) => raw(if self.is_in_head || self.cells == 1 { "</th>" } else { "</td>" }.to_owned()),
            _ => event,
        }
    }
}

fn raw<'a>(html: String) -> Event<'a> {
    Event::Html(html.into())
}

/// A block that copies as a whole; `nth` on its page.
fn code_block(info: &str, nth: usize, code: &str) -> String {
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    let (id, title) = match rest.strip_prefix('#') {
        Some(named) => named.split_once(' ').map_or((named.to_owned(), language), |(id, title)| (id.to_owned(), title)),
        None if rest.is_empty() => (format!("code-{nth}"), language),
        None => (format!("code-{nth}"), rest),
    };
    let code = code.trim_end();
    let code = if language == "sh" { SiteOrigin::in_example(code) } else { code.to_owned() };
    view! { <CodeBlock id title=title.to_owned() code/> }.to_html()
}

/// Where a link to another file of `docs/` leads: `limits.md#levels` to `/docs/limits#levels`.
fn page_of(link: &str) -> Option<String> {
    let (file, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
    let slug = file.strip_suffix(".md").filter(|slug| !slug.contains('/'))?;
    Some(if slug == "start" { format!("/docs{anchor}") } else { format!("/docs/{slug}{anchor}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_links_lead_to_pages() {
        let page = to_html("A `<b>` & [levels](limits.md#levels), [the start](start.md), [Keys](/keys).");
        assert_eq!(
            page.trim_end(),
            r#"<p>A <code>&lt;b&gt;</code> &amp; <a href="/docs/limits#levels">levels</a>, <a href="/docs">the start</a>, <a href="/keys">Keys</a>.</p>"#
        );
    }

    #[test]
    fn a_table_has_heads_of_columns_and_rows_and_the_name_of_its_heading() {
        let page = to_html("## Codes {#codes}\n\n| Code | Means |\n| --- | --- |\n| `VALID` | it passes |");
        for part in [
            "<h2 id=\"codes\">Codes</h2>",
            "<table class=\"table\" aria-labelledby=\"codes\">",
            "<th scope=\"col\">Code</th>",
            "<tr><th scope=\"row\"><code>VALID</code></th><td data-head=\"Means\">it passes</td></tr>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }

    #[test]
    fn a_fence_says_its_language_its_anchor_and_its_title() {
        let page = to_html("```sh #ask Ask\ncurl -d '{\"a\": 1}' | jq\n```\n\n```json\n{}\n```");
        assert!(page.contains("id=\"ask\"") && page.contains("aria-label=\"Ask\"") && page.contains("curl -d '{\"a\": 1}' | jq"), "{page}");
        assert!(page.contains("id=\"code-2\"") && page.contains("aria-label=\"json\""), "{page}");
    }

    #[test]
    fn a_note_and_what_is_generated() {
        let page = to_html("> [!NOTE]\n> Mind *this*.\n\n<!-- generated: codes -->\n");
        assert!(page.contains("<div class=\"note\">") && page.contains("<p>Mind <em>this</em>.</p>") && page.contains("VALID"), "{page}");
    }
}
