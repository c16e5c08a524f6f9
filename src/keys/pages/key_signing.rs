//! Signed requests on `/keys/{id}`: whether calls must be signed, how, and, while it is fresh, the secret for it.

use crate::{
    accounts::components::is_shown,
    keys::{
        api::{HideSigningSecret, TurnOffSigning, TurnOnSigning},
        components::SaidTime,
        model::{Algorithm, KeyDetail, SigningView},
    },
    ui::{Button, CheckField, Fact, Facts, Form, FormOutcome, Gate, LinkButton, Look, Note, Secret, TextArea},
};
use leptos::{prelude::*, server_fn::ServerFn};

pub fn signing(detail: &KeyDetail, secret: Option<String>) -> AnyView {
    let id = detail.key.id.to_string();
    let lead = if detail.signing.is_some() { "Every call must be signed. The key alone is refused." } else { "Off: the key alone is enough." };
    let shown = secret.map(|secret| fresh(secret, id.clone()));
    let state = detail.signing.clone().map(|signing| state(signing, detail, &id));
    let forms = detail.can_edit.then(|| forms(detail, &id));
    let summary = if detail.signing.is_some() { "Change how calls are signed" } else { "Turn on signed requests" };
    // No error hides there.
    let is_open = use_context::<FormOutcome>().is_some_and(|outcome| outcome.action == TurnOnSigning::PATH);
    let forms = forms.map(|forms| {
        view! {
            <details class="more-fields" open=is_open>
                <summary>{summary}</summary>
                <div class="stack">{forms}</div>
            </details>
        }
    });
    view! {
        <section class="stack" id="signing" aria-labelledby="signing-title">
            <div class="section-head"><h2 id="signing-title">"Signed requests"</h2><p>{lead}" "<a href="/docs/signing#signed">"How calls are signed"</a></p></div>
            {shown}
            {state}
            {forms}
        </section>
    }
    .into_any()
}

/// The secret, for the one time that it is shown.
fn fresh(secret: String, id: String) -> AnyView {
    view! {
        <Note gate=Gate::Passed>
            <p><b>"The signing secret"</b>". Shown until you press Hide, for at most 10 minutes."</p>
            <Secret secret/>
            <Form action=HideSigningSecret::PATH class="stack" hidden=vec![("id", id)]>
                <CheckField label="I have stored it" name="stored" id="signing-stored"/>
                <div><Button>"Hide"</Button></div>
            </Form>
        </Note>
    }
    .into_any()
}

fn state(signing: SigningView, detail: &KeyDetail, id: &str) -> AnyView {
    let how = match signing.algorithm {
        Algorithm::Ed25519 => "ed25519, with your private key",
        Algorithm::HmacSha256 => "HMAC-SHA-256, with a secret",
    };
    let fingerprint = signing.fingerprint.chars().take(16).collect::<String>();
    let acts = detail.can_edit.then(|| {
        let sign = Some(format!("/keys/{id}/sign")).filter(|href| detail.is_own && is_shown(href));
        let build = sign.map(|href| view! { <LinkButton href look=Look::Secondary>"Sign a call"</LinkButton> });
        view! {
            <p class="help">"If you turn this off, the key alone is enough again."</p>
            <div class="row">
                {build}
                <Form action=TurnOffSigning::PATH hidden=vec![("id", id.to_owned())]><Button look=Look::DangerQuiet>"Turn off"</Button></Form>
            </div>
        }
    });
    view! {
        <Facts>
            <Fact term="Signed by">{how}</Fact>
            <Fact term="Fingerprint"><code>{fingerprint}"…"</code></Fact>
            <Fact term="Since"><SaidTime said=signing.since/></Fact>
        </Facts>
        {acts}
    }
    .into_any()
}

fn forms(detail: &KeyDetail, id: &str) -> AnyView {
    let hidden = |algorithm: Algorithm| vec![("id", id.to_owned()), ("algorithm", algorithm.as_str().to_owned()), ("once", detail.once.clone())];
    let (by_key, by_secret) = if detail.signing.is_some() { ("Use this public key", "Make a new secret") } else { ("Ask for signatures", "Make a secret") };
    let help =
        "32 bytes in base64, PEM or a JWK. Create a pair with: openssl genpkey -algorithm ed25519 -out private.pem; openssl pkey -in private.pem -pubout";
    view! {
        <Form action=TurnOnSigning::PATH id="ed25519" class="stack form-medium" label="Sign with ed25519" hidden=hidden(Algorithm::Ed25519)>
            <TextArea label="Public key (ed25519)" name="public_key" help mono=true maxlength=2000/>
            <div class="form-actions"><Button>{by_key}</Button></div>
        </Form>
        <Form action=TurnOnSigning::PATH id="hmac" class="stack form-medium" label="Sign with HMAC-SHA-256" hidden=hidden(Algorithm::HmacSha256)>
            <p class="help">"Or use a secret that both sides share. Tollgate stores it encrypted and shows it once."</p>
            <div class="form-actions"><Button>{by_secret}</Button></div>
        </Form>
    }
    .into_any()
}
