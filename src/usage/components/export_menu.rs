//! The files of a page in one place: the CSV of what it shows as a button, all of them in a menu beside it.

use crate::{
    accounts::components::is_shown,
    ui::{ButtonMenu, Icon, LinkButton, Look, MenuLink},
};
use leptos::prelude::*;

/// One file of a page: what it is of, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    what: &'static str,
    csv: String,
    json: String,
}

impl ExportFile {
    /// `address` gives it by its format.
    pub fn new(what: &'static str, address: impl Fn(&str) -> String) -> Self {
        Self { what, csv: address("csv"), json: address("json") }
    }
}

/// The first file is what the page is about. A longer one is prepared elsewhere. Not `download`: what is too long leads to a page.
#[component]
pub fn ExportMenu(files: Vec<ExportFile>, #[prop(into)] prepare: String) -> impl IntoView {
    let files: Vec<ExportFile> = files.into_iter().filter(|file| is_shown(&file.csv)).collect();
    let first = files.first().map(|file| file.csv.clone());
    let first = first.map(|csv| view! { <LinkButton href=csv icon=Icon::Download>"Export CSV"</LinkButton> });
    let rows = files.into_iter().map(row).collect_view();
    view! {
        <div class="row">
            {first}
            <ButtonMenu id="all-files" words="All files" icon=Icon::More look=Look::Quiet>
                {rows}
                <MenuLink href=prepare icon=Icon::Server label="Prepare a file"/>
                <MenuLink href="/exports" icon=Icon::List label="Exports"/>
            </ButtonMenu>
        </div>
    }
    .into_any()
}

fn row(file: ExportFile) -> AnyView {
    let ExportFile { what, csv, json } = file;
    view! {
        <div class="menu-file">
            <span>{what}</span>
            <a href=csv aria-label=format!("{what}, CSV")>"CSV"</a>
            <a href=json aria-label=format!("{what}, JSON")>"JSON"</a>
        </div>
    }
    .into_any()
}
