//! `/settings/security/authenticator`: an authenticator app is set up, by its QR code or the text of it, and confirmed by a code.
//! `/settings/security/recovery-codes`: the codes that were just made, until they are saved.

use crate::{
    accounts::{
        api::{ConfirmTotp, FinishRecoveryCodes, StartTotp, my_new_codes, my_totp_setup},
        components::{PasskeyPart, loaded},
        model::{Factors, QrCode, TotpSetup},
    },
    ui::{AuthFrame, Button, CheckField, CodeBlock, CopyId, ErrorSummary, Form, LinkButton, Look, Size, TextField, button_class},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn AuthenticatorPage() -> impl IntoView {
    loaded(my_totp_setup, |(setup, factors): (Option<TotpSetup>, Factors)| match setup {
        Some(setup) => confirm(setup, &factors),
        None => start(&factors),
    })
}

fn start(factors: &Factors) -> AnyView {
    let lead = if owes(factors) {
        "This site requires you to have a second factor. Set up an authenticator app to continue. You will then sign in with your password and a code from the app."
    } else if factors.app_since.is_some() {
        "A new app replaces your current one, which works until you confirm the new one. Your recovery codes don't change."
    } else {
        "You will sign in with your password and a code from an app on your phone or in your password manager."
    };
    let other =
        owes(factors).then(|| view! { <PasskeyPart><p class="help"><a href="/settings/security/passkey">"Add a passkey instead"</a></p></PasskeyPart> });
    view! {
        <AuthFrame title="Authenticator app" lead=view! { {lead} }.into_any() foot=way_out(factors)>
            // The set-up that a code was typed for is gone: too late, or confirmed already.
            <ErrorSummary action=ConfirmTotp::PATH/>
            <Form action=StartTotp::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Set up an app"</Button>
            </Form>
            {other}
        </AuthFrame>
    }
    .into_any()
}

fn confirm(setup: TotpSetup, factors: &Factors) -> AnyView {
    let TotpSetup { qr, secret, uri } = setup;
    view! {
        <AuthFrame title="Authenticator app" raised=true lead=view! { "Scan this with your app, then enter the code it shows." }.into_any() foot=way_out(factors)>
            {qr.map(|qr| view! { <Qr qr/> })}
            <p class="help">
                "No camera? "<a href=uri>"Open it in an app on this device"</a>", or enter this key: "<CopyId id="seed" text=secret/>
                ". It is shown only here, for 15 minutes."
            </p>
            <Form action=ConfirmTotp::PATH class="stack">
                <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 required=true large=true/>
                <CheckField label="Sign out all other devices" name="end_others" help="They signed in with the password alone."/>
                <Button look=Look::Primary size=Size::Large block=true>"Confirm"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

/// Dark on white whatever the theme, with the margin of four squares that readers need (ISO/IEC 18004).
#[component]
fn Qr(qr: QrCode) -> impl IntoView {
    let side = qr.size + 8;
    view! {
        <svg class="qr" viewBox=format!("-4 -4 {side} {side}") role="img" aria-label="The same secret, to scan with an authenticator app">
            <path d=qr.path/>
        </svg>
    }
}

/// The site requires a second factor, and there is none.
const fn owes(factors: &Factors) -> bool {
    factors.is_required && factors.app_since.is_none() && factors.passkeys == 0
}

/// Back to the settings, or out, where nothing else may be done yet.
fn way_out(factors: &Factors) -> Vec<(String, String)> {
    let (words, href) = if owes(factors) { ("Sign out", "/sign-out") } else { ("Back to Security", "/settings/security") };
    vec![(words.to_owned(), href.to_owned())]
}

#[component]
pub fn RecoveryCodesPage() -> impl IntoView {
    loaded(my_new_codes, |codes: Vec<String>| if codes.is_empty() { gone() } else { show(&codes) })
}

fn show(codes: &[String]) -> AnyView {
    let lead = "Each code signs you in once if you lose your app. They are shown only now. Don't keep them on the same device as the app.";
    let text = codes.join("\n");
    let file = format!("data:text/plain;charset=utf-8,{}%0A", codes.join("%0A"));
    view! {
        <AuthFrame title="Recovery codes" raised=true lead=view! { {lead} }.into_any()>
            <div class="stack" data-guard>
                <CodeBlock id="codes" title="Recovery codes" code=text/>
                <div class="row">
                    <a class=button_class(Look::Secondary, Size::Medium, false, false) href=file download="tollgate-recovery-codes.txt">"Download"</a>
                    <button type="button" class=button_class(Look::Secondary, Size::Medium, false, false) hidden=true data-js data-print>"Print"</button>
                </div>
            </div>
            <Form action=FinishRecoveryCodes::PATH class="stack">
                <CheckField label="I saved these codes" name="saved"/>
                <Button look=Look::Primary size=Size::Large block=true>"Finish"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn gone() -> AnyView {
    view! {
        <AuthFrame title="Recovery codes" lead=view! { "Codes are shown once, when they are made. If you lost them, make new ones." }.into_any()>
            <LinkButton href="/settings/security" look=Look::Primary size=Size::Large block=true>"Back to Security"</LinkButton>
        </AuthFrame>
    }
    .into_any()
}
