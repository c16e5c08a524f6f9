//! The passkeys on `/settings/security`. Renaming is a state of the page with an address (`?rename=pk_…`).

use crate::{
    accounts::{
        api::{RemovePasskey, RenamePasskey, StartPasskey},
        model::PasskeyView,
    },
    ui::{ActForm, Button, ErrorSummary, Form, LinkButton, Look, OutlineBadge, Section, Size, Table, TextField, UNSEEN, folded, heads},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};

const LEAD: &str = "Sign in with your fingerprint, your face or a security key. Once you add one, your password alone no longer signs you in.";

/// The section; nothing where browsers use no passkeys and there are none.
pub fn passkeys(all: Vec<PasskeyView>, takes_passkeys: bool, renames: Option<&str>) -> Option<AnyView> {
    if all.is_empty() && !takes_passkeys {
        return None;
    }
    let is_one = all.len() == 1;
    let list = if all.is_empty() { view! { <p class="muted">"You have no passkeys yet."</p> }.into_any() } else { list(all, renames) };
    let spare = is_one.then(|| view! { <p class="help">"Add a second one on another device, so you keep access if you lose one."</p> });
    let add = takes_passkeys.then(|| view! { <Form action=StartPasskey::PATH><Button>"Add a passkey"</Button></Form> });
    let section = view! {
        <Section id="passkeys" title="Passkeys" lead=LEAD wide=true>
            <ErrorSummary action=RemovePasskey::PATH/>
            {list}
            {spare}
            {add}
        </Section>
    };
    Some(section.into_any())
}

fn list(all: Vec<PasskeyView>, renames: Option<&str>) -> AnyView {
    let rows = all.into_iter().map(|one| row(one, renames)).collect_view();
    view! {
        <div class="card">
            <Table caption="Your passkeys, oldest first" bare=true>
                {heads(&[("Passkey", ""), ("Last used", "col-2"), ("Rename or remove", UNSEEN)])}
                <tbody>{rows}</tbody>
            </Table>
        </div>
    }
    .into_any()
}

fn row(one: PasskeyView, renames: Option<&str>) -> AnyView {
    let id = one.id.to_string();
    let kept = if one.is_synced { "synced" } else { "on this device only" };
    let kept = view! { " "<OutlineBadge>{kept}</OutlineBadge> };
    let (head, acts) = if renames == Some(id.as_str()) {
        let form = view! {
            <Form action=RenamePasskey::PATH class="stack" hidden=vec![("id", id)]>
                <TextField label="New name" name="name" value=one.name maxlength=80 autocomplete="off" required=true autofocus=true/>
                <div class="row"><Button look=Look::Primary size=Size::Small>"Save"</Button><LinkButton href="/settings/security" look=Look::Quiet size=Size::Small>"Cancel"</LinkButton></div>
            </Form>
        };
        (form.into_any(), ().into_any())
    } else {
        let (rename, remove) = (format!("Rename {}", one.name), format!("Remove {}", one.name));
        let acts = view! {
            <div class="row">
                <LinkButton href=link("/settings/security", [("rename", id.as_str())]) look=Look::Quiet size=Size::Small label=rename>"Rename"</LinkButton>
                <ActForm action=RemovePasskey::PATH words="Remove" look=Look::DangerQuiet size=Size::Small label=remove hidden=vec![("id", id.clone())]/>
            </div>
        };
        let head = view! { <div class="cell-2"><span>{one.name}{kept}</span><span>{format!("added {}", one.added)}</span></div> };
        (head.into_any(), acts.into_any())
    };
    let used = one.last_used.unwrap_or_else(|| "never".to_owned());
    view! {
        <tr>
            <th scope="row">{head}{folded(vec![(2, "Last used", used.clone().into_any())])}</th>
            <td class="col-2 nowrap">{used}</td>
            <td class="num">{acts}</td>
        </tr>
    }
    .into_any()
}
