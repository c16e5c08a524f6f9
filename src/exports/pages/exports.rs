//! `/exports`: the files that one asked for, how far they are, and the form that asks for one. While one grows the page loads itself again.

use crate::{
    accounts::components::{Framed, is_shown},
    exports::{
        api::{self, CreateExport, DeleteExport},
        model::{ExportPage, ExportQuery, ExportView, Offer},
    },
    ui::{
        ActForm, Badge, Bar, Button, Crumb, Empty, ErrorSummary, Form, Gate, Icon, LinkButton, Look, PageHeader, Section, SelectField, Size, Table, UNSEEN,
        folded, heads, loaded,
        number::{bytes, count, thousands},
    },
    values::JobState,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/exports";

#[component]
pub fn ExportsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| ExportQuery::read(|name| map.get(name)));
    let crumbs = vec![Crumb::link("Usage", "/usage"), Crumb::here("Exports")];
    view! { <Framed crumbs>{loaded(move || api::read_exports(query()), page, ("Show all files", PATH))}</Framed> }
}

fn page(page: ExportPage) -> AnyView {
    let lead = "Long exports of usage, refusals and keys, prepared in the background. Each file is kept for a day.".into_any();
    let is_growing = page.exports.iter().any(|export| export.state.is_open());
    let again = is_growing.then(|| view! { <LinkButton href=PATH icon=Icon::Rotate>"Refresh"</LinkButton> });
    view! {
        <PageHeader title="Exports" lead>{again}</PageHeader>
        {is_growing.then(|| view! { <span data-again hidden></span> })}
        {page.offer.map(offer)}
        <ErrorSummary action=DeleteExport::PATH/>
        {files(page.exports)}
    }
    .into_any()
}

fn offer(offer: Offer) -> AnyView {
    let options = [("csv", "CSV, for a spreadsheet"), ("json", "JSON, for a program")].map(|(word, label)| (word.to_owned(), label.to_owned())).to_vec();
    let hidden = vec![("of", offer.subject.as_str().to_owned()), ("filters", offer.query.text())];
    let format = offer.query.format.unwrap_or_else(|| "csv".to_owned());
    view! {
        <Section id="prepare" title="Prepare a file" lead=offer.words>
            <Form action=CreateExport::PATH class="stack form-narrow" hidden>
                <SelectField label="Format" name="format" options value=format/>
                <div class="form-actions">
                    <Button look=Look::Primary>"Prepare the file"</Button>
                    <LinkButton href=offer.subject.page() look=Look::Quiet>"Cancel"</LinkButton>
                </div>
            </Form>
        </Section>
    }
    .into_any()
}

fn files(exports: Vec<ExportView>) -> AnyView {
    if exports.is_empty() {
        return view! {
            <Empty title="No files" text="You can export what a page shows on that page. For more than 50,000 lines, select Prepare a file there. The file then appears here.">
                <LinkButton href="/usage">"Go to usage"</LinkButton>
            </Empty>
        }
        .into_any();
    }
    let rows = exports.into_iter().map(row).collect_view();
    view! {
        <Table caption="Files, newest first">
            {heads(&[("File", ""), ("State", ""), ("Size", "num col-2"), ("Asked for", "col-3"), ("Acts", UNSEEN)])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(export: ExportView) -> AnyView {
    let id = export.id.to_string();
    let is_done = export.state == JobState::Done;
    let format = export.format.to_uppercase();
    let act = if export.state.is_open() { "Cancel" } else { "Delete" };
    let (what, label) = (format!("{format}: {}", export.words), format!("{act}: {}", export.words));
    let file = Some(format!("/api/v1/exports/{id}/file")).filter(|href| is_done && is_shown(href));
    let download = file.map(|href| {
        let label = format!("Download: {}", export.words);
        view! { <LinkButton href size=Size::Small icon=Icon::Download label>"Download"</LinkButton> }
    });
    let size = if export.size == 0 { "–".to_owned() } else { bytes(export.size) };
    view! {
        <tr>
            <th scope="row">{what}{folded(vec![(2, "Size", size.clone().into_any()), (3, "Asked for", export.asked.clone().into_any())])}</th>
            <td>{state(&export)}</td>
            <td class="num nowrap col-2">{size}</td>
            <td class="nowrap col-3">{export.asked}</td>
            <td class="cell-more">
                <div class="row">
                    {download}
                    <ActForm action=DeleteExport::PATH words=act size=Size::Small look=Look::Quiet label hidden=vec![("id", id)]/>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// The badge, and in words how far it is.
fn state(export: &ExportView) -> AnyView {
    let rows = count(export.rows_written, "line", "lines");
    match (export.state, export.percent()) {
        (JobState::Done, _) => {
            view! { <div class="cell-2"><Badge gate=Gate::Passed>"Done"</Badge><span>{format!("{rows}, until {}", export.until)}</span></div> }.into_any()
        }
        (JobState::Failed, _) => {
            let problem = export.problem.clone().unwrap_or_default();
            view! { <div class="cell-2"><Badge gate=Gate::Refused>"Failed"</Badge><span>{problem}</span></div> }.into_any()
        }
        (JobState::Waiting, _) => view! { <div class="cell-2"><Badge gate=Gate::Idle>"Waiting"</Badge><span>"Starts in a moment."</span></div> }.into_any(),
        (JobState::Running, percent) => {
            let words = match export.rows_expected {
                Some(expected) => format!("{} of about {} lines", thousands(export.rows_written), thousands(expected)),
                None => rows,
            };
            #[allow(clippy::cast_precision_loss, reason = "0 to 100")]
            let bar = percent.map(|percent| percent as f64).map(|percent| view! { <Bar percent/> });
            view! { <div class="cell-2"><Badge gate=Gate::Limited>"Being written"</Badge><span>{words}</span>{bar}</div> }.into_any()
        }
    }
}
