//! The sign-ins elsewhere that are linked to an account, and how to link another one.

use crate::{
    accounts::{
        api::{LinkWith, Unlink},
        model::{Linked, ProviderButton},
    },
    ui::{ActForm, Button, ErrorSummary, Form, Look, Section, Size, Table, UNSEEN, folded, heads},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn LinkedSignIns(linked: Vec<Linked>, providers: Vec<ProviderButton>) -> impl IntoView {
    if linked.is_empty() && providers.is_empty() {
        return ().into_any();
    }
    let lead = match linked.len() {
        0 => "None are linked to your account.",
        _ => "You can use these to sign in here.",
    };
    let table = (!linked.is_empty()).then(|| {
        let rows = linked.into_iter().map(row).collect_view();
        view! {
            <Table caption="Linked sign-ins, oldest first">
                {heads(&[("Sign-in", ""), ("Last used", "col-2"), ("Unlink", UNSEEN)])}
                <tbody>{rows}</tbody>
            </Table>
        }
    });
    let add = providers
        .into_iter()
        .map(|provider| {
            let slug = provider.slug.to_string();
            view! {
                <Form action=LinkWith::PATH id=format!("link-{slug}") hidden=vec![("provider", slug)] quiet=true>
                    <Button>{format!("Link {}", provider.name)}</Button>
                </Form>
            }
        })
        .collect_view();
    view! {
        <Section id="linked" title="Sign-in with others" lead=lead>
            <ErrorSummary action=LinkWith::PATH/>
            <ErrorSummary action=Unlink::PATH/>
            {table}
            <div class="row">{add}</div>
        </Section>
    }
    .into_any()
}

fn row(it: Linked) -> AnyView {
    let label = format!("Unlink {}", it.name);
    let gone = (!it.is_offered).then_some(" (no longer offered)");
    let used = it.used.unwrap_or_else(|| "never".to_owned());
    let who = it.email.map(|email| format!("{email}, ")).unwrap_or_default();
    view! {
        <tr>
            <th scope="row"><div class="cell-2"><span>{it.name}{gone}</span><span>{format!("{who}since {}", it.since)}</span></div>{folded(vec![(2, "Last used", used.clone().into_any())])}</th>
            <td class="col-2 nowrap">{used}</td>
            <td class="num">
                <ActForm action=Unlink::PATH words="Unlink" look=Look::Quiet size=Size::Small label=label hidden=vec![("id", it.id.to_string())]/>
            </td>
        </tr>
    }
    .into_any()
}
