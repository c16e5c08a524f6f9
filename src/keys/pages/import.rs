//! `/keys/import`: paste a list of hashed keys or choose a file with one, see what would become of each line, import it.

use crate::{
    accounts::components::Framed,
    keys::{
        api::{self, CheckImport, RunImport},
        components::loaded,
        model::{Api, ImportLine, ImportOutcome, ImportPreview, ImportShown},
    },
    ui::{
        Badge, Button, CheckField, Crumb, FileField, Form, Gate, LinkButton, Look, Note, PageHeader, SelectField, Table, TextArea, heads,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/keys/import";
/// The hash is shortened: nobody types one.
const EXAMPLE: &str = "name,hash,permissions,expires_at\ncheckout,ba7816bf8f01cfea\u{2026},orders:read,2027-01-31\nwarehouse,ungWv48Bz-pBQUDe\u{2026},,";
/// Permissions that a note names.
const NAMED: usize = 20;

#[component]
pub fn ImportPage() -> impl IntoView {
    let (list, without) = use_query_map().with_untracked(|map| (map.get("list"), map.get("without").is_some()));
    let crumbs = vec![Crumb::link("Keys", "/keys"), Crumb::here("Import")];
    view! { <Framed crumbs>{loaded(move || api::read_import(list.clone(), without), page, |error| error)}</Framed> }
}

fn page(shown: ImportShown) -> AnyView {
    let lead = view! { "Keep using the keys of another system. Only the hashes of their secrets are needed. "<a href="/docs/many-keys#import">"Columns and hashes"</a> }
        .into_any();
    let body = match shown.preview {
        Some(preview) => report(preview, &shown.apis),
        None => form(shown.apis, shown.is_operator),
    };
    view! { <PageHeader title="Import keys" lead/>{body} }.into_any()
}

fn form(apis: Vec<Api>, is_operator: bool) -> AnyView {
    let options = apis.into_iter().map(|api| (api.slug.to_string(), api.name)).collect();
    let more = if is_operator { " Operators can add limits and account (the owner\u{2019}s email)." } else { "" };
    let help = format!("CSV or JSON. Exports of Unkey and Better Auth, and dumps of their tables, work as they are.{more}");
    view! {
        <Form action=CheckImport::PATH files=true class="stack form-medium">
            <SelectField label="API" name="api" options/>
            <TextArea label="List" name="list" rows=10 mono=true help placeholder=EXAMPLE maxlength=40_000/>
            <FileField label="Or a file" name="file" accept=".csv,.json,text/csv,application/json" help="CSV or JSON in UTF-8, at most 10,000 keys and 8 MB."/>
            <CheckField
                label="Import without unknown permissions"
                name="without_unknown_permissions"
                help="Keys lose permissions that the API does not have. Otherwise those keys are not imported."
            />
            <div class="form-actions"><Button look=Look::Primary>"Preview"</Button><LinkButton href="/keys" look=Look::Quiet>"Cancel"</LinkButton></div>
        </Form>
    }
    .into_any()
}

fn report(preview: ImportPreview, apis: &[Api]) -> AnyView {
    let api = apis.iter().find(|api| api.slug.as_str() == preview.api).map_or_else(|| preview.api.clone(), |api| api.name.clone());
    let unknown = unknown(&preview, &api);
    let ImportPreview { id, created, is_without, lines, .. } = preview;
    let mut hidden = vec![("list", id.to_string())];
    if is_without {
        hidden.push(("without_unknown_permissions", "true".to_owned()));
    }
    let title = format!("Import {}", count(created, "key", "keys"));
    let import = (created > 0).then(|| view! { <Form action=RunImport::PATH hidden><Button look=Look::Primary>{title}</Button></Form> });
    let all = created + preview.known + preview.skipped + preview.wrong;
    let said = [
        match created {
            0 => format!("No new keys for {api}"),
            n => format!("{} for {api}", count(n, "new key", "new keys")),
        },
        some(preview.known, |n| format!("{n} here already")),
        some(preview.skipped, |n| format!("{n} deleted there")),
        some(preview.wrong, |n| format!("{n} can\u{2019}t be imported")),
    ];
    let summary = said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let shown = lines.len() as u64;
    let cut = (shown < all).then(|| format!(" {} of {} lines are shown, errors before others.", thousands(shown), thousands(all)));
    let rows = lines.into_iter().map(row).collect_view();
    view! {
        <p>{summary}"."{cut}</p>
        {unknown}
        <div class="row">{import}<LinkButton href=PATH>"Another list"</LinkButton></div>
        <Table caption="Lines of the list" cards=true>
            {heads(&[("Name", ""), ("Becomes", "cell-status")])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

/// Empty for none.
fn some(lines: u64, words: impl FnOnce(String) -> String) -> String {
    if lines == 0 { String::new() } else { words(count(lines, "line", "lines")) }
}

/// Which permissions the API does not have, and the choice to import without them.
fn unknown(preview: &ImportPreview, api: &str) -> Option<AnyView> {
    let names = &preview.unknown_permissions;
    if names.is_empty() {
        return None;
    }
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    let names = format!("{}{more}", names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "));
    let (words, act) = match preview.is_without {
        false => (format!("{api} does not have these permissions: {names}. Keys with them are not imported."), "Preview without these permissions"),
        true => (format!("Keys are imported without permissions that {api} does not have: {names}."), "Leave out these keys instead"),
    };
    let href = ImportPreview::path(preview.id, !preview.is_without);
    Some(view! { <Note>{words}" "<a href=href>{act}</a></Note> }.into_any())
}

fn row(line: ImportLine) -> AnyView {
    let (gate, word) = match line.outcome {
        ImportOutcome::Created => (Gate::Passed, "New key"),
        ImportOutcome::Known => (Gate::Idle, "Here already"),
        ImportOutcome::Skipped => (Gate::Idle, "Deleted there"),
        ImportOutcome::Wrong => (Gate::Refused, "Not imported"),
        ImportOutcome::Later => (Gate::Idle, "Not yet"),
    };
    let number = format!("Line {}", thousands(line.line));
    let said = if line.detail.is_empty() { number } else { format!("{number}: {}", line.detail) };
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><span>{line.name}</span><span>{said}</span></span></th>
            <td class="cell-status"><Badge gate>{word}</Badge></td>
        </tr>
    }
    .into_any()
}
