//! The pages of `/docs`, once: their order and groups. What they are called and what stands on them says their Markdown in `docs/`; their
//! route, the contents beside them, the list at the start and the tests come from here.

use std::sync::LazyLock;

/// Pages under one heading of the contents.
pub struct DocPart {
    pub title: &'static str,
    pub pages: Vec<Doc>,
}

/// The page at `/docs/{slug}`, from `docs/{slug}.md`: a title, a paragraph that sums it up, sections.
pub struct Doc {
    pub slug: &'static str,
    pub title: &'static str,
    pub summary: &'static str,
    /// Its `h2`s in order: id and words. The start has all these ids, too, where they stood when `/docs` was one page.
    pub sections: Vec<(&'static str, &'static str)>,
    /// What stands below the summary.
    pub(super) text: &'static str,
}

impl Doc {
    fn new(slug: &'static str, markdown: &'static str) -> Self {
        let (title, rest) = markdown.split_once("\n\n").unwrap_or((markdown, ""));
        let (summary, text) = rest.split_once("\n\n").unwrap_or((rest, ""));
        Self { slug, title: title.trim_start_matches("# "), summary, sections: sections(text), text }
    }

    pub fn path(&self) -> String {
        format!("/docs/{}", self.slug)
    }
}

/// `## Levels {#levels}`, but not within a fence.
fn sections(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut is_code = false;
    let heads = text.lines().filter_map(|line| {
        is_code ^= line.starts_with("```");
        line.strip_prefix("## ").filter(|_| !is_code)
    });
    heads.map(|head| head.trim_end_matches('}').split_once(" {#").map_or(("", head), |(words, id)| (id, words))).collect()
}

/// Every page, in the order of the contents.
pub fn all_docs() -> impl Iterator<Item = &'static Doc> {
    DOCS.iter().flat_map(|part| &part.pages)
}

/// The page at `/docs` itself.
pub(super) const START: &str = include_str!("../../../../docs/start.md");

macro_rules! part {
    ($title:literal: $($slug:literal),+) => {
        DocPart { title: $title, pages: vec![$(Doc::new($slug, include_str!(concat!("../../../../docs/", $slug, ".md")))),+] }
    };
}

pub static DOCS: LazyLock<Vec<DocPart>> = LazyLock::new(|| {
    vec![
        part!("Protect an API": "proxies", "verify", "routes", "signing"),
        part!("Keys and limits": "keys", "many-keys", "revoking", "limits", "limit-kinds", "blocks"),
        part!("Usage": "usage", "requests"),
        part!("Accounts and sign-in": "sign-in", "accounts"),
        part!("Operate": "operate"),
        part!("Reference": "errors"),
    ]
});
