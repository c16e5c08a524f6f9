//! `/docs`: one long page, and its contents beside it.

use crate::support::TestApp;
use sqlx::PgPool;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_contents_of_docs_name_every_section_in_its_order(db: PgPool) {
    let app = TestApp::start(db).await;
    let page = app.get("/docs").await.text().await.unwrap();
    let (contents, article) = page.split_once("<article").unwrap();
    let contents = contents.split_once("aria-label=\"Contents\"").unwrap().1;
    let upto = |text: &str, end: char| text.split(end).next().unwrap_or_default().to_owned();
    let linked: Vec<String> = contents.split("<li>").skip(1).filter_map(|rest| rest.split_once("href=\"#")).map(|(_, rest)| upto(rest, '"')).collect();
    let sections: Vec<String> = article.split("<h2 id=\"").skip(1).map(|rest| upto(rest, '"')).collect();
    assert_eq!(linked, sections);
}
