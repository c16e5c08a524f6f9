//! A signed call for somebody to try: what is signed, and the command that sends it. With a secret it is signed here, once, as the key's
//! owner could do; with a private key, which is not here, the commands that sign it are told.

use super::{
    base::{Message, signature_base},
    fields::{Bare, Item, Parameters, list},
    message::is_writing,
    setting::signer,
};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::{
        model::{ApiRoute, SignCall, SignedCall},
        server::{detail::find_key, store::signings},
    },
    platform::{Ctx, crypto::sha256},
    values::{KeyId, permission_names as may},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt::Write;
use url::{Position, Url};

/// The longest body, in bytes.
const BODY: usize = 4_000;

/// Signs a call with a key of the caller's own workspace.
pub async fn build_signed_call(ctx: &Ctx, caller: &Caller, id: KeyId, mut call: SignCall) -> Result<SignedCall, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    // A form sends CR LF between lines (HTML §4.10.22), and the command that is shown has LF: what it sends is what is signed.
    call.body = call.body.replace("\r\n", "\n");
    let key = find_key(ctx, caller, id).await?;
    if key.workspace != caller.workspace {
        return Err(AppError::refused("Only the owner of a key signs calls with it."));
    }
    let row =
        signings::find_signing(&ctx.db, id).await?.ok_or_else(|| AppError::conflict("Calls of this key need no signature. Turn signed requests on first."))?;
    let signer = signer(&ctx.vault, id, row.public_key.as_deref(), row.sealed_secret.as_deref(), &row.fingerprint);
    if signer.is_sealed() {
        return Err(AppError::conflict("The signing secret does not open with this server's master key. Make a new one."));
    }
    let (method, url) = checked(&call)?;

    let has_body = !call.body.is_empty() || is_writing(&method);
    let digest = has_body.then(|| format!("sha-256=:{}:", STANDARD.encode(sha256(&call.body))));
    let covered = ["@method", "@target-uri"].into_iter().chain(has_body.then_some("content-digest"));
    let components: Vec<Item> = covered.map(|name| Item { value: Bare::Text(name.to_owned()), parameters: Parameters::default() }).collect();
    let parameters = Parameters(vec![
        ("created".to_owned(), Bare::Integer(ctx.clock.now().unix_timestamp())),
        ("keyid".to_owned(), Bare::Text(id.to_string())),
        ("nonce".to_owned(), Bare::Text(ctx.rng.base62(22))),
        ("alg".to_owned(), Bare::Text(signer.algorithm().as_str().to_owned())),
    ]);
    let field = |name: &str| digest.clone().filter(|_| name == "content-digest");
    let message = Message {
        method: &method,
        scheme: url.scheme(),
        authority: &url[Position::BeforeHost..Position::AfterPort],
        target: &url[Position::BeforePath..Position::AfterQuery],
        field: &field,
        has_body,
        body_sha256: None,
    };
    let base = signature_base(&message, &components, &parameters).map_err(|fault| AppError::invalid("url", fault.sentence()))?;
    let signature = signer.sign(base.as_bytes()).map(|bytes| STANDARD.encode(bytes));
    let sign = signature.is_none().then(|| {
        let base = quoted(&base);
        format!("printf '%s' {base} > base.txt\nSIGNATURE=$(openssl pkeyutl -sign -inkey private.pem -rawin -in base.txt | base64 -w 0)")
    });

    let mut curl = format!("curl -i {} \\\n  -X {method} \\\n  -H \"Authorization: Bearer $KEY\"", quoted(&url[..Position::AfterQuery]));
    // Writing into a String does not fail.
    if let Some(digest) = &digest {
        let _ = write!(curl, " \\\n  -H {}", quoted(&format!("Content-Digest: {digest}")));
    }
    let _ = write!(curl, " \\\n  -H {}", quoted(&format!("Signature-Input: sig1={}", list(&components, &parameters))));
    let _ = match &signature {
        Some(signature) => write!(curl, " \\\n  -H {}", quoted(&format!("Signature: sig1=:{signature}:"))),
        None => write!(curl, " \\\n  -H \"Signature: sig1=:$SIGNATURE:\""),
    };
    if !call.body.is_empty() {
        let _ = write!(curl, " \\\n  -H 'Content-Type: application/json' \\\n  --data-binary {}", quoted(&call.body));
    }
    Ok(SignedCall { base, sign, curl })
}

fn checked(call: &SignCall) -> Result<(String, Url), AppError> {
    let mut fields = Fields::default();
    let method = call.method.trim().to_ascii_uppercase();
    if !ApiRoute::METHODS[1..].contains(&method.as_str()) {
        fields.add("method", format!("Name a method: {}.", ApiRoute::METHODS[1..].join(", ")));
    }
    let url = Url::parse(call.url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty() && call.url.len() <= 2_000);
    let url = fields.check("url", url.ok_or("Write the whole address of the call, such as https://api.example.com/orders?page=2."));
    if call.body.len() > BODY {
        fields.add("body", "A body has at most 4,000 bytes here.");
    }
    fields.done()?;
    Ok((method, url.ok_or(AppError::NotFound)?))
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_shell_stays_one() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
