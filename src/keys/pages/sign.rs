//! `/keys/{id}/sign`: a signed call to try, as a command; what is signed stands beside it. The form has a URL, and nothing is sent.

use crate::{
    accounts::components::Framed,
    error::{AppError, FieldError},
    keys::{
        api,
        components::loaded,
        model::{ApiRoute, KeyDetail, SignCall, SignedCall},
    },
    ui::{Button, CodeBlock, Crumb, Gate, Look, Note, PageHeader, SelectField, TextArea, TextField},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

type Built = (SignCall, Result<SignedCall, Vec<FieldError>>);

#[component]
pub fn SignPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|map| map.get("id").unwrap_or_default());
    let call = use_query_map().with_untracked(|map| {
        let get = |name| map.get(name).unwrap_or_default();
        Some(SignCall { method: get("method"), url: map.get("url")?, body: get("body") })
    });
    let load = move || {
        let (id, call) = (id.clone(), call.clone());
        async move {
            let detail = api::key_detail(id).await?;
            let built = match call {
                Some(call) => match api::sign_call(detail.key.id, call.clone()).await {
                    Ok(signed) => Some((call, Ok(signed))),
                    Err(AppError::Invalid { fields }) => Some((call, Err(fields))),
                    Err(error) => return Err(error),
                },
                None => None,
            };
            Ok((detail, built))
        }
    };
    loaded(
        load,
        |(detail, built): (KeyDetail, Option<Built>)| framed(&detail, built),
        |error| view! { <Framed crumbs=vec![Crumb::link("Keys", "/keys"), Crumb::here("Sign a call")]>{error}</Framed> }.into_any(),
    )
}

fn framed(detail: &KeyDetail, built: Option<Built>) -> AnyView {
    let path = format!("/keys/{}", detail.key.id);
    let crumbs = vec![Crumb::link("Keys", "/keys"), Crumb::link(detail.key.name.clone(), path.clone()), Crumb::here("Sign a call")];
    let lead = "Get a command that sends one signed call. It works once, within 5 minutes.".into_any();
    let (typed, result) = built.map_or_else(|| (SignCall { method: "GET".to_owned(), ..SignCall::default() }, None), |(typed, result)| (typed, Some(result)));
    let methods = ApiRoute::METHODS[1..].iter().map(|m| ((*m).to_owned(), (*m).to_owned())).collect();
    let answer = result.map(|result| match result {
        Ok(signed) => commands(signed),
        Err(wrong) => {
            let words = wrong.into_iter().map(|field| view! { <p>{field.message}</p> }).collect_view();
            view! { <Note gate=Gate::Refused>{words}</Note> }.into_any()
        }
    });
    view! {
        <Framed crumbs>
            <PageHeader title="Sign a call" lead/>
            <div class="stack-xl">
                <form method="get" action=format!("{path}/sign") class="stack form-medium" aria-label="Call to sign">
                    <SelectField label="Method" name="method" options=methods value=typed.method/>
                    <TextField label="URL" name="url" kind="url" mono=true required=true placeholder="https://api.example.com/orders?page=2" autocomplete="off" maxlength=2000 value=typed.url/>
                    <TextArea label="Body" name="body" mono=true maxlength=4000 value=typed.body help="Part of this page's address. Don't put secrets here."/>
                    <div class="form-actions"><Button look=Look::Primary>"Sign"</Button></div>
                </form>
                {answer}
            </div>
        </Framed>
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
