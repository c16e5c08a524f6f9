//! The part of `/docs` on sign-in with others: how a provider is set up, what is checked, and what links an account.

use crate::ui::CodeBlock;
use leptos::prelude::*;

const PROVIDER: &str = r#"[[sign_in.providers]]
slug = "example"
name = "Example"
issuer = "https://accounts.example.com"
client_id = "tollgate"
client_secret_file = "/run/secrets/example"
trusts_email = true"#;

pub fn sign_in() -> AnyView {
    view! {
        <h2 id="sign-in-with-others">"Sign-in with others"</h2>
        <p>"Any provider of OpenID Connect can let people in. Register Tollgate there as a confidential web client with the address "<code>"https://your.host/sign-in/with/SLUG/callback"</code>", then name the provider in the config file:"</p>
        <CodeBlock id="provider" title="tollgate.toml" code=PROVIDER/>
        <p>"The slug has a letter, then lower-case letters, digits and hyphens; the issuer stands as the provider writes it in its discovery document. Without a secret PKCE alone protects the code. "<code>"scopes"</code>" are "<code>"email"</code>" and "<code>"profile"</code>" unless set. "<code>"allow_sign_up = false"</code>" lets in only who is linked. "<code>"trusts_email = true"</code>" is your word that this provider proves addresses: its "<code>"email_verified"</code>" then counts as our own mail would. "<code>"replaces_second_factor = true"</code>" asks nobody who comes from there for a code. "<code>"allow_private_network = true"</code>" is for a provider in your own network, and lets it speak plain http there. A provider that is down stops nothing: its button says so when it is tried."</p>
        <p>"Who somebody is there is the pair of issuer and subject, never an address (OpenID Connect Core 1.0 §5.7). Somebody new gets an account, where sign-up is open to them; the address is proven by a mail, unless the provider is trusted and says that it proved it. If the address has an account already, only such a proof links the two by itself, and not where a second factor guards the account; everybody else signs in as usual and confirms it. More are linked and unlinked on "<a href="/settings/security">"Security"</a>", each told by mail; the last way in stays. Bans, disabled accounts and second factors hold as for everybody."</p>
        <p>"What is checked: state, nonce and PKCE with S256 (RFC 7636), bound to the browser that began, for ten minutes and once (RFC 9700 §2.1, §4.7); the issuer in the answer, required where the provider announces it (RFC 9207 §2.4); of the ID token signature, "<code>"iss"</code>", "<code>"aud"</code>" (ours alone), "<code>"azp"</code>", "<code>"exp"</code>", "<code>"iat"</code>" at most five minutes ahead, and "<code>"nonce"</code>" (Core §3.1.3.7), with RS, PS, ES or EdDSA keys of the provider: neither "<code>"none"</code>" nor a shared secret. Keys are read again when an unknown one appears, twice a minute at most. Our requests go to public addresses over TLS 1.2 or newer, follow no redirect, and end after four seconds or 256 KiB; the certificates of a private authority are not known to us."</p>
    }
    .into_any()
}
