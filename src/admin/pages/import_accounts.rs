//! `/admin/accounts/import`: paste a list of accounts or choose a file with one, see what would become of each line, import it.

use crate::{
    accounts::{
        components::Framed,
        model::{AccountImport, ImportedAs, ImportedLine},
    },
    admin::{
        api::{self, CheckAccountImport, RunAccountImport},
        components::loaded,
    },
    ui::{Badge, Button, ErrorSummary, FileField, Form, Gate, LinkButton, Look, PageHeader, Table, TextArea, heads, number::count},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn ImportAccountsPage() -> impl IntoView {
    let list = use_query_map().with_untracked(|map| map.get("list"));
    view! { <Framed crumbs=super::crumbs("Import accounts")>{loaded(move || api::read_account_import(list.clone()), page)}</Framed> }
}

fn page(preview: Option<AccountImport>) -> AnyView {
    let lead = "Move people from another system. They keep their passwords: you only need the hashes.".into_any();
    let body = match preview {
        Some(preview) => report(preview),
        None => form(),
    };
    view! { <PageHeader title="Import accounts" lead/>{body} }.into_any()
}

fn form() -> AnyView {
    let help = "CSV with a first line such as email,name,password_hash,verified,created_at, or JSON: an array of such objects, or an object \
                with users. Only email is needed. Hashes are bcrypt or Argon2; people without one set a password by email.";
    view! {
        <Form action=CheckAccountImport::PATH files=true class="stack form-medium">
            <TextArea label="List" name="list" rows=10 mono=true help maxlength=40_000/>
            <FileField label="Or a file" name="file" accept=".csv,.json,text/csv,application/json" help="CSV or JSON in UTF-8, at most 8 MB. Split longer lists, or use the command line."/>
            <div class="form-actions">
                <Button look=Look::Primary>"Preview"</Button>
                <LinkButton href="/admin/accounts" look=Look::Quiet>"Cancel"</LinkButton>
            </div>
        </Form>
    }
    .into_any()
}

fn report(preview: AccountImport) -> AnyView {
    let title = format!("Import {}", count(preview.created, "account", "accounts"));
    let summary = format!(
        "{}, {} here already, {} can\u{2019}t be imported. Nobody is mailed.",
        count(preview.created, "new account", "new accounts"),
        preview.known,
        count(preview.wrong, "line", "lines")
    );
    let import = (preview.created > 0).then(|| {
        view! {
            <Form action=RunAccountImport::PATH quiet=true hidden=vec![("list", preview.id.to_string())]>
                <Button look=Look::Primary>{title}</Button>
            </Form>
        }
    });
    let rows = preview.lines.into_iter().map(row).collect_view();
    view! {
        <p>{summary}</p>
        <ErrorSummary action=RunAccountImport::PATH/>
        <div class="row">{import}<LinkButton href="/admin/accounts/import">"Another list"</LinkButton></div>
        <Table caption="Lines of the list, problems first" small=true>
            {heads(&[("Line", "num"), ("Email", ""), ("Becomes", ""), ("Field", ""), ("Why", "")])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(line: ImportedLine) -> AnyView {
    let (gate, word) = match line.outcome {
        ImportedAs::Created => (Gate::Passed, "an account"),
        ImportedAs::Known => (Gate::Idle, "nothing new"),
        ImportedAs::Wrong => (Gate::Refused, "nothing"),
        ImportedAs::Later => (Gate::Idle, "nothing yet"),
    };
    view! {
        <tr>
            <td class="num">{line.line}</td>
            <th scope="row">{line.email}</th>
            <td><Badge gate>{word}</Badge></td>
            <td>{line.field}</td>
            <td>{line.detail}</td>
        </tr>
    }
    .into_any()
}
