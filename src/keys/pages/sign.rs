//! `/keys/{id}/sign`: a signed call to try, as a command; what is signed stands beside it. The form is posted, as its body is nobody's
//! address, and the page that answers it shows the command (`boot::forms`). Nothing is sent.

use crate::{
    accounts::components::Framed,
    keys::{
        api,
        components::loaded,
        model::{ApiRoute, KeyDetail, SignCall, SignedCall},
    },
    ui::{Button, CodeBlock, Crumb, Form, FormOutcome, LinkButton, Look, Note, PageHeader, SelectField, TextArea, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

#[component]
pub fn SignPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|map| map.get("id").unwrap_or_default());
    let call = use_context::<FormOutcome>().filter(|sent| sent.action == api::SignCall::PATH && sent.error.is_none()).map(|sent| {
        let get = |name: &str| sent.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
        SignCall { method: get("method"), url: get("url"), body: get("body") }
    });
    let load = move || {
        let (id, call) = (id.clone(), call.clone());
        async move {
            let detail = api::key_detail(id).await?;
            let signed = match call {
                Some(call) => Some(api::sign_call(detail.key.id, call).await?),
                None => None,
            };
            Ok((detail, signed))
        }
    };
    loaded(
        load,
        |(detail, signed): (KeyDetail, Option<SignedCall>)| framed(&detail, signed),
        |error| view! { <Framed crumbs=vec![Crumb::link("Keys", "/keys"), Crumb::here("Sign a call")]>{error}</Framed> }.into_any(),
    )
}

fn framed(detail: &KeyDetail, signed: Option<SignedCall>) -> AnyView {
    let path = format!("/keys/{}", detail.key.id);
    let crumbs = vec![Crumb::link("Keys", "/keys"), Crumb::link(detail.key.name.clone(), path.clone()), Crumb::here("Sign a call")];
    let lead = "Get a command that sends one signed call. It works once, within 5 minutes.".into_any();
    let body = if !detail.is_own {
        view! { <Note>"Only the owner of a key signs calls with it."</Note> }.into_any()
    } else if detail.signing.is_none() {
        let href = format!("{path}#signing");
        view! {
            <Note>
                <p>"Calls of this key need no signature. Turn on signed requests first."</p>
                <p><LinkButton href>"Turn on signed requests"</LinkButton></p>
            </Note>
        }
        .into_any()
    } else {
        form(detail)
    };
    let answer = signed.map(commands);
    view! {
        <Framed crumbs>
            <PageHeader title="Sign a call" lead/>
            <div class="stack-xl">{body}{answer}</div>
        </Framed>
    }
    .into_any()
}

fn form(detail: &KeyDetail) -> AnyView {
    let methods = ApiRoute::METHODS[1..].iter().map(|m| ((*m).to_owned(), (*m).to_owned())).collect();
    let hidden = vec![("id", detail.key.id.to_string())];
    view! {
        <Form action=api::SignCall::PATH class="stack form-medium" label="Call to sign" hidden>
            <SelectField label="Method" name="method" options=methods value="GET"/>
            <TextField label="URL" name="url" kind="url" mono=true required=true placeholder="https://api.example.com/orders?page=2" autocomplete="off" maxlength=2000/>
            <TextArea label="Body" name="body" mono=true maxlength=4000 help="At most 4,000 bytes. Not stored."/>
            <div class="form-actions"><Button look=Look::Primary>"Sign"</Button></div>
        </Form>
    }
    .into_any()
}

fn commands(signed: SignedCall) -> AnyView {
    let sign = signed.sign.map(|commands| view! { <CodeBlock id="sign" title="1. Sign it, where the private key is" code=commands wrap=true/> });
    let title = if sign.is_some() { "2. Send it" } else { "Send it" };
    view! {
        <div class="stack" role="status">
            {sign}
            <CodeBlock id="curl" title code=signed.curl wrap=true/>
            <CodeBlock id="base" title="What is signed (RFC 9421 §2.5)" code=signed.base wrap=true/>
        </div>
    }
    .into_any()
}
