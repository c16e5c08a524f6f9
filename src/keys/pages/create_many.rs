//! `/keys/create-many`: give a list of new keys, see what each line says, make them and get one file with their secrets.

use crate::{
    accounts::components::Framed,
    keys::{
        api::{self, CheckBatch},
        components::loaded,
        model::{BatchLine, BatchPage, BatchPreview},
    },
    ui::{Badge, Button, Crumb, Empty, FileField, Form, Gate, LinkButton, Look, Note, PageHeader, SelectField, Table, TextArea, heads, number::count},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/keys/create-many";
const EXAMPLE: &str = "name,permissions,expires,tags\ntill 1,orders:read orders:write,30d,\"shop,berlin\"\ntill 2,read-only,never,shop";

#[component]
pub fn CreateManyPage() -> impl IntoView {
    let list = use_query_map().with_untracked(|map| map.get("list"));
    let crumbs = vec![Crumb::link("Keys", "/keys"), Crumb::here("Create many")];
    view! { <Framed crumbs>{loaded(move || api::read_batch(list.clone()), page, |error| error)}</Framed> }
}

fn page(page: BatchPage) -> AnyView {
    let lead = "Create a key for each line of a list and get one file with all the secrets.".into_any();
    let body = match page.preview.clone() {
        Some(preview) if preview.is_done => given(),
        Some(preview) => {
            let mend = (preview.wrong > 0).then(|| form(page.clone(), preview.api.clone(), preview.list.clone().unwrap_or_default()));
            view! {
                {report(preview, page.once)}
                {mend}
            }
            .into_any()
        }
        None => form(page, String::new(), String::new()),
    };
    view! { <PageHeader title="Create many keys" lead/>{body} }.into_any()
}

/// Where a list is typed, or mended.
fn form(page: BatchPage, api: String, list: String) -> AnyView {
    let options = page.apis.into_iter().map(|api| (api.slug.to_string(), api.name)).collect();
    let more = if page.is_operator { " Operators can add limits (100/hour 2000/day) and account (the owner's email)." } else { "" };
    let help = format!("CSV. The first line names the columns; only name is required.{more} At most 1,000 keys.");
    view! {
        <Form action=CheckBatch::PATH files=true class="stack form-medium">
            <SelectField label="API" name="api" options value=api/>
            <TextArea label="List" name="list" value=list rows=10 mono=true help placeholder=EXAMPLE/>
            <FileField label="Or a file" name="file" accept=".csv,text/csv" help="CSV in UTF-8."/>
            <p class="help"><a href="/docs/many-keys#create-many">"All columns, with an example"</a></p>
            <div class="form-actions"><Button look=Look::Primary>"Preview"</Button><LinkButton href="/keys" look=Look::Quiet>"Cancel"</LinkButton></div>
        </Form>
    }
    .into_any()
}

fn report(preview: BatchPreview, once: String) -> AnyView {
    let make = (preview.wrong == 0).then(|| {
        let label = format!("Create {} and save the file", count(preview.keys, "key", "keys"));
        view! {
            <Note>"You can download the file with the secrets once, with this button. Tollgate stores only hashes. Save the file where only you can read it."</Note>
            <form method="post" action="/keys/create-many/file" data-download="created" class="stack">
                <div id="created" class="stack" role="status" hidden>
                    <Note>{format!("{} created. The file has been saved; until you leave this page you can save it again.", count(preview.keys, "key", "keys"))}</Note>
                    <div class="row"><LinkButton href="/keys">"See the keys"</LinkButton></div>
                </div>
                <input type="hidden" name="list" value=preview.id.to_string()/>
                <input type="hidden" name="once" value=once/>
                <Button look=Look::Primary>{label}</Button>
            </form>
        }
    });
    let summary = match preview.wrong {
        0 => format!("{} for {}.", count(preview.keys, "new key", "new keys"), preview.api),
        wrong if preview.list.is_some() => format!("{} wrong, so no keys can be created. Correct the list below.", count(wrong, "line is", "lines are")),
        wrong => format!("{} wrong, so no keys can be created. Correct your file, and choose it again below.", count(wrong, "line is", "lines are")),
    };
    let rows = preview.lines.into_iter().map(row).collect_view();
    view! {
        <p>{summary}</p>
        <div class="stack form-medium">{make}</div>
        <div class="row"><LinkButton href=PATH>"Another list"</LinkButton><LinkButton href="/keys" look=Look::Quiet>"Back to the keys"</LinkButton></div>
        <Table caption="Lines of the list, errors first" small=true>
            {heads(&[("Line", "num"), ("Name", ""), ("Makes", "")])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

/// What is wrong stands below the name: it may be long, and a phone has one wide column.
fn row(line: BatchLine) -> AnyView {
    let (gate, word) = if line.errors.is_empty() { (Gate::Passed, "A key") } else { (Gate::Refused, "Nothing") };
    let said = |field: String, message: String| if field.is_empty() { message } else { format!("{field}: {message}") };
    let why = line.errors.into_iter().map(|e| view! { <div class="muted">{said(e.field, e.message)}</div> }).collect_view();
    view! {
        <tr>
            <td class="num">{line.line}</td>
            <th scope="row">{line.name}{why}</th>
            <td><Badge gate>{word}</Badge></td>
        </tr>
    }
    .into_any()
}

/// The list made its keys.
fn given() -> AnyView {
    view! {
        <Empty title="The file was already downloaded" text="The keys of this list exist, and their secrets were only in that file. If you lost it, rotate the keys: each gets a new secret.">
            <LinkButton href="/keys">"See the keys"</LinkButton>
            <LinkButton href=PATH look=Look::Quiet>"Another list"</LinkButton>
        </Empty>
    }
    .into_any()
}
