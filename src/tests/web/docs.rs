//! `/docs`: a start and a page for each theme, all from one table and the Markdown of `docs/`; what leads from each to the others, and what
//! still leads there from when it was one page.

use crate::support::TestApp;
use sqlx::PgPool;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use tollgate::{platform::config::settings::SETTINGS, site::pages::all_docs};

/// The sections of the one long page, whose anchors stand in letters and bookmarks.
const ONCE: [&str; 48] = [
    "proxy",
    "verify",
    "routes",
    "codes",
    "limits",
    "rolling",
    "credits",
    "together",
    "over",
    "blocks",
    "keys",
    "about-a-key",
    "rotation",
    "bundles",
    "grants",
    "origins",
    "signed",
    "import",
    "many-at-once",
    "create-many",
    "leaked",
    "revoked",
    "usage",
    "addresses",
    "permissions-used",
    "latencies",
    "refusals",
    "passed",
    "exports",
    "notices",
    "alerts",
    "passkeys",
    "two-factor",
    "import-accounts",
    "sign-in-with-others",
    "programs",
    "bans",
    "sessions",
    "acting",
    "invitations",
    "account",
    "errors",
    "rest",
    "speed",
    "outages",
    "mails",
    "master-key",
    "audit",
];

/// Path and text of every page of the docs, the start first, then as the contents have them.
async fn pages(app: &TestApp) -> Vec<(String, String)> {
    let browser = app.browser();
    let mut pages = Vec::new();
    for path in std::iter::once("/docs".to_owned()).chain(all_docs().map(|doc| doc.path())) {
        let page = browser.page(&path).await;
        pages.push((path, page));
    }
    pages
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} behind {begin}")).0
}

/// What stands in this attribute, wherever there is one.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    html.split(begin.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Where the links lead whose tags have this in them.
fn links_with<'a>(html: &'a str, wanted: &str) -> Vec<&'a str> {
    let tags = html.split("<a").skip(1).filter_map(|rest| rest.split('>').next());
    tags.filter(|tag| tag.contains(wanted)).flat_map(|tag| values(tag, "href")).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_page_of_docs_has_a_title_of_its_own_and_leads_to_all_others(db: PgPool) {
    let app = TestApp::start(db).await;
    let pages = pages(&app).await;
    let paths: Vec<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    assert!(paths.len() > 10 && paths.iter().collect::<BTreeSet<_>>().len() == paths.len(), "{paths:?}");
    let mut titles = BTreeSet::new();
    for (at, (path, page)) in pages.iter().enumerate() {
        assert!(titles.insert(between(page, "<title>", "</title>")), "{path}: {titles:?}");
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        let contents = between(page, "aria-label=\"Contents\"", "</nav>");
        let mut linked = values(contents, "href");
        linked.retain(|href| *href != "/docs/api");
        assert_eq!(linked, paths, "{path}");
        assert!(contents.contains("href=\"/docs/api\""), "{path}");
        assert_eq!(links_with(contents, "aria-current=\"page\""), [path.as_str()]);
        assert!(links_with(page, "skip-link").contains(&"#article") && page.contains("id=\"article\""), "{path}: a way past the contents");
        let ways = between(page, "aria-label=\"Previous and next page\"", "</nav>");
        let previous: Vec<&str> = at.checked_sub(1).map(|at| paths[at]).into_iter().collect();
        let next: Vec<&str> = paths.get(at + 1).copied().into_iter().collect();
        assert_eq!((links_with(ways, "rel=\"prev\""), links_with(ways, "rel=\"next\"")), (previous, next), "{path}");
        assert!(!page.contains("<!-- generated"), "{path} asks for what nothing generates");
        let mut blocks = BTreeSet::new();
        for block in page.split("<pre ").skip(1).filter_map(|rest| rest.split('>').next()) {
            let title = between(block, "aria-label=\"", "\"");
            assert!(blocks.insert(title), "{path} has two blocks of code called {title}");
        }
        let mut ids = BTreeSet::new();
        for id in values(between(page, "<main", "</main>"), "id") {
            assert!(ids.insert(id), "{path} has {id} twice");
        }
    }
}

/// What a first visit may transfer before its WASM (`end2end/landing.spec.ts`). Pages go out compressed, to less than half; what else a visit needs
/// takes as much as that leaves.
const MOST_OF_A_PAGE: usize = 50_000;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn no_page_of_docs_is_too_long_for_a_first_visit(db: PgPool) {
    let app = TestApp::start(db).await;
    let sizes: Vec<(String, usize)> = pages(&app).await.into_iter().map(|(path, page)| (path, page.len())).collect();
    let long: Vec<_> = sizes.iter().filter(|(_, size)| *size > MOST_OF_A_PAGE).collect();
    assert!(long.is_empty(), "split by themes: {long:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn each_page_of_docs_names_every_section_in_its_order(db: PgPool) {
    let app = TestApp::start(db).await;
    let pages: BTreeMap<String, String> = pages(&app).await.into_iter().collect();
    let start = &pages["/docs"];
    for doc in all_docs() {
        let page = &pages[&doc.path()];
        assert!(page.contains(&format!("<h1>{}</h1>", doc.title)) && page.contains(doc.summary), "{}", doc.slug);
        let (list, article) = page.split_once("aria-label=\"On this page\"").unwrap().1.split_once("</nav>").unwrap();
        let linked: Vec<&str> = values(list, "href").into_iter().filter_map(|href| href.strip_prefix('#')).collect();
        let sections: Vec<(&str, &str)> =
            article.split("<h2 id=\"").skip(1).filter_map(|rest| rest.split("</h2>").next()).filter_map(|head| head.split_once("\">")).collect();
        assert_eq!(sections, doc.sections, "{}", doc.slug);
        assert_eq!(linked, doc.sections.iter().map(|(id, _)| *id).collect::<Vec<_>>(), "{}", doc.slug);
        assert!(start.contains(doc.summary), "the start says what {} is", doc.slug);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_stood_on_the_one_page_of_docs_is_found_from_its_anchor(db: PgPool) {
    let app = TestApp::start(db).await;
    let start = app.browser().page("/docs").await;
    for id in ONCE {
        let to = links_with(&start, &format!(" id=\"{id}\""));
        assert!(to.len() == 1 && to[0].ends_with(&format!("#{id}")), "/docs#{id} leads on: {to:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn whatever_leads_into_docs_comes_to_what_is_there(db: PgPool) {
    let app = TestApp::start(db).await;
    let pages = pages(&app).await;
    let anchors: BTreeMap<&str, BTreeSet<&str>> = pages.iter().map(|(path, page)| (path.as_str(), values(page, "id").into_iter().collect())).collect();
    let is_there = |to: &str| {
        let (path, anchor) = to.split_once('#').map_or((to, None), |(path, anchor)| (path, Some(anchor)));
        anchors.get(path).is_some_and(|ids| anchor.is_none_or(|anchor| ids.contains(anchor)))
    };
    let mut wrong = Vec::new();
    for (path, page) in &pages {
        for href in values(page, "href") {
            let to = if href.starts_with('#') { format!("{path}{href}") } else { href.to_owned() };
            let is_ours = to == "/docs" || to.starts_with("/docs#") || to.starts_with("/docs/");
            wrong.extend((is_ours && !to.starts_with("/docs/api") && !is_there(&to)).then(|| format!("{path}: {href}")));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = walkdir::WalkDir::new(root.join("src")).into_iter().filter_map(Result::ok).map(|entry| entry.into_path());
    let sources = sources.filter(|path| path.extension().is_some_and(|x| x == "rs") && !path.starts_with(root.join("src/tests")));
    let mut seen = 0;
    for file in sources.chain(["README.md", "examples/orders/README.md"].map(|name| root.join(name))) {
        let text = std::fs::read_to_string(&file).unwrap();
        for begin in ["\"/docs", "`/docs"] {
            for rest in text.split(begin).skip(1) {
                // A pattern, or a beginning that something follows, is no address.
                let Some(to) = rest.split(['"', '`']).next().filter(|to| !to.contains(['{', ':', '…']) && !to.ends_with(['/', '#'])) else { continue };
                let to = format!("/docs{to}");
                seen += 1;
                wrong.extend((!to.starts_with("/docs/api") && !is_there(&to)).then(|| format!("{}: {to}", file.display())));
            }
        }
    }
    assert!(seen > 40 && wrong.is_empty(), "{seen} seen, of which nothing is at {wrong:#?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_page_that_docs_do_not_have_is_not_found(db: PgPool) {
    let app = TestApp::start(db).await;
    for browser in [app.browser(), app.sign_in_as("developer").await.browser] {
        for path in ["/docs/nothing-of-this-name", "/docs/Limits", "/docs/limits/more"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status(), 404, "{path}");
            assert!(answer.text().await.unwrap().contains("No page at this address"), "{path}");
        }
        assert_eq!(browser.get("/docs/limits").await.status(), 200, "it is for everybody");
        assert!(browser.page("/docs/api").await.contains("swagger-ui"), "the viewer is not one of them");
    }
}

/// Who exports a variable of our prefix that is no setting can start nothing any more, not even the command line.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn docs_name_variables_of_our_prefix_that_are_settings(db: PgPool) {
    let app = TestApp::start(db).await;
    let known = |name: &str| name == "TOLLGATE_CONFIG" || SETTINGS.iter().any(|setting| setting.env == name);
    for (path, page) in pages(&app).await {
        for rest in page.split("TOLLGATE_").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).unwrap_or(rest.len());
            let name = format!("TOLLGATE_{}", &rest[..end]);
            assert!(known(&name) || name.strip_suffix("_FILE").is_some_and(known), "{path}: {name}");
        }
    }
}
