//! `/keys/import`: paste a list of hashed keys or choose a file with one, see what would become of each line, import it.

use crate::{
    accounts::components::Framed,
    keys::{
        api::{self, CheckImport, RunImport},
        components::loaded,
        model::{Api, ImportLine, ImportOutcome, ImportPreview},
    },
    ui::{Badge, Button, Crumb, FileField, Form, Gate, LinkButton, Look, PageHeader, SelectField, Table, TextArea, heads, number::count},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn ImportPage() -> impl IntoView {
    let list = use_query_map().with_untracked(|map| map.get("list"));
    let crumbs = vec![Crumb::link("Keys", "/keys"), Crumb::here("Import")];
    view! { <Framed crumbs>{loaded(move || api::read_import(list.clone()), |(apis, preview)| page(apis, preview), |error| error)}</Framed> }
}

fn page(apis: Vec<Api>, preview: Option<ImportPreview>) -> AnyView {
    let lead = "Keep using the keys of another system. Only the hashes of their secrets are needed.".into_any();
    let body = match preview {
        Some(preview) => report(preview),
        None => form(apis),
    };
    view! { <PageHeader title="Import keys" lead/>{body} }.into_any()
}

fn form(apis: Vec<Api>) -> AnyView {
    let options = apis.into_iter().map(|api| (api.slug.to_string(), api.name)).collect();
    let help = "CSV with a first line such as name,hash,permissions,expires_at, or JSON. Exports of Unkey and Better Auth work as they are. \
                Hashes are SHA-256 or SHA-512, in hexadecimal, base64 or base64url. With a column start (the first 8 to 16 characters \
                of the secret) also bcrypt and Argon2.";
    view! {
        <Form action=CheckImport::PATH files=true class="stack form-medium">
            <SelectField label="API" name="api" options/>
            <TextArea label="List" name="list" rows=10 mono=true help maxlength=40_000/>
            <FileField label="Or a file" name="file" accept=".csv,.json,text/csv,application/json" help="CSV or JSON in UTF-8, at most 10,000 keys and 8 MB."/>
            <div class="form-actions"><Button look=Look::Primary>"Preview"</Button><LinkButton href="/keys" look=Look::Quiet>"Cancel"</LinkButton></div>
        </Form>
    }
    .into_any()
}

fn report(preview: ImportPreview) -> AnyView {
    let title = format!("Import {}", count(preview.created, "key", "keys"));
    let summary = format!(
        "{} for {}, {} here already, {} can\u{2019}t be imported.",
        count(preview.created, "new key", "new keys"),
        preview.api,
        preview.known,
        count(preview.wrong, "line", "lines")
    );
    let import = (preview.created > 0)
        .then(|| view! { <Form action=RunImport::PATH hidden=vec![("list", preview.id.to_string())]><Button look=Look::Primary>{title}</Button></Form> });
    let rows = preview.lines.into_iter().map(row).collect_view();
    view! {
        <p>{summary}</p>
        <div class="row">{import}<LinkButton href="/keys/import">"Another list"</LinkButton></div>
        <Table caption="Lines of the list, errors first" small=true>
            {heads(&[("Line", "num"), ("Name", ""), ("Becomes", ""), ("Why", "")])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(line: ImportLine) -> AnyView {
    let (gate, word) = match line.outcome {
        ImportOutcome::Created => (Gate::Passed, "a key"),
        ImportOutcome::Known => (Gate::Idle, "nothing new"),
        ImportOutcome::Wrong => (Gate::Refused, "nothing"),
        ImportOutcome::Later => (Gate::Idle, "nothing yet"),
    };
    view! {
        <tr>
            <td class="num">{line.line}</td>
            <th scope="row">{line.name}</th>
            <td><Badge gate>{word}</Badge></td>
            <td>{line.detail}</td>
        </tr>
    }
    .into_any()
}
