//! The answer of a verification as JSON, written piece by piece into one allocation. It is what serde writes of `VerifyAnswer`, byte for
//! byte (tested), at a fraction of the work: names of fields, codes and ids have nothing to escape.

use super::verify_http::{HoldBody, LimitBody, VerifyAnswer};
use crate::values::{AccountId, IdText, KeyId, WorkspaceId};

/// Most answers are shorter.
const BYTES: usize = 512;

/// What was written so far.
struct Json(Vec<u8>);

pub fn json(answer: &VerifyAnswer<'_>) -> Vec<u8> {
    // Named one by one: a new field can't be forgotten.
    let VerifyAnswer {
        valid,
        code,
        detail,
        api,
        key_id,
        account_id,
        workspace_id,
        plan,
        entitlements,
        permissions,
        limits,
        violated,
        over,
        hold,
        retry_after,
        expires_at,
        external_id,
        meta,
    } = answer;
    let mut out = Json(Vec::with_capacity(BYTES));
    out.raw(if *valid { r#"{"valid":true,"code":""# } else { r#"{"valid":false,"code":""# });
    out.raw(code.as_str());
    out.raw("\"");
    out.text_of(r#","detail":"#, *detail);
    out.text_of(r#","api":"#, *api);
    out.id(r#","key_id":""#, key_id.map(KeyId::text));
    out.id(r#","account_id":""#, account_id.map(AccountId::text));
    out.id(r#","workspace_id":""#, workspace_id.map(WorkspaceId::text));
    out.text_of(r#","plan":"#, *plan);
    if !entitlements.is_empty() {
        out.list(r#","entitlements":["#, entitlements.iter(), |out, entitlement| out.text(entitlement));
    }
    out.list(r#","permissions":["#, permissions.iter(), |out, permission| out.text(permission.as_str()));
    out.list(r#","limits":["#, limits.iter(), Json::limit);
    if !violated.is_empty() {
        out.list(r#","violated":["#, violated.iter(), |out, name| out.text(name));
    }
    if !over.is_empty() {
        out.list(r#","over":["#, over.iter(), |out, name| out.text(name));
    }
    if let Some(HoldBody { id, expires_at }) = hold {
        out.raw(r#","hold":{"id":"#);
        out.text(id);
        out.text_of(r#","expires_at":"#, Some(expires_at.as_str()));
        out.raw("}");
    }
    if let Some(seconds) = retry_after {
        out.number(r#","retry_after":"#, *seconds);
    }
    out.text_of(r#","expires_at":"#, expires_at.as_deref());
    out.text_of(r#","external_id":"#, *external_id);
    out.raw(r#","meta":"#);
    // It is JSON, checked when it was kept.
    out.raw(meta.0);
    out.raw("}");
    out.0
}

impl Json {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// What serde knows better.
    fn serde(&mut self, value: &impl serde::Serialize) {
        // Writing to a Vec does not fail, nor do strings or a map whose keys are strings.
        _ = serde_json::to_writer(&mut self.0, value);
    }

    /// A string. RFC 8259 §7 has quotes, backslashes and control characters escaped.
    fn text(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            return self.serde(&text);
        }
        self.raw("\"");
        self.raw(text);
        self.raw("\"");
    }

    fn text_of(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.raw(name);
            self.text(text);
        }
    }

    fn id(&mut self, name: &str, id: Option<IdText>) {
        if let Some(id) = id {
            self.raw(name);
            self.0.extend_from_slice(id.as_bytes());
            self.raw("\"");
        }
    }

    fn number(&mut self, name: &str, number: u64) {
        self.raw(name);
        self.raw(itoa::Buffer::new().format(number));
    }

    fn list<T>(&mut self, name: &str, items: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        self.raw(name);
        for (place, item) in items.enumerate() {
            if place > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    fn limit(&mut self, limit: &LimitBody<'_>) {
        let LimitBody { name, limit, remaining, reset_after } = limit;
        self.raw(r#"{"name":"#);
        self.text(name);
        self.number(r#","limit":"#, *limit);
        self.number(r#","remaining":"#, *remaining);
        self.number(r#","reset_after":"#, *reset_after);
        self.raw("}");
    }
}

#[cfg(test)]
mod tests {
    use super::{super::verify_http::MetaText, *};
    use crate::values::{Outcome, Permission};
    use proptest::{option, prelude::*};
    use std::borrow::Cow;
    use uuid::Uuid;

    /// Words with everything in them that JSON escapes.
    fn words() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~]{0,12}", "\\PC{0,6}", Just("\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{2028}ü".to_owned())]
    }

    proptest! {
        #[test]
        fn it_is_what_serde_writes(
            (code, valid, bits, has_key) in (0..Outcome::ALL.len(), any::<bool>(), any::<u128>(), any::<bool>()),
            (detail, api, plan, expires_at) in (option::of(words()), option::of(words()), option::of(words()), option::of(words())),
            names in proptest::collection::vec((words(), any::<u64>(), any::<u64>(), any::<u64>()), 0..4),
            (over, retry_after, hold) in (proptest::collection::vec(words(), 0..3), option::of(any::<u64>()), option::of((words(), words()))),
            (gives, violated) in (proptest::collection::vec(words(), 0..3), proptest::collection::vec(words(), 0..3)),
            given in proptest::collection::vec(prop_oneof![Just("orders:read"), Just("orders:*"), Just("keys:verify")], 0..4),
            (external_id, meta) in (option::of(words()), proptest::collection::btree_map(words(), words(), 0..3)),
        ) {
            let id = Uuid::from_u128(bits);
            let permissions: Vec<Permission> = given.iter().filter_map(|name| name.parse().ok()).collect();
            let meta = serde_json::to_string(&meta).unwrap_or_default();
            let gives: Vec<Box<str>> = gives.into_iter().map(Into::into).collect();
            let answer = VerifyAnswer {
                valid,
                code: Outcome::ALL[code],
                detail: detail.as_deref(),
                api: api.as_deref(),
                key_id: has_key.then(|| KeyId::new(id)),
                account_id: has_key.then(|| AccountId::new(id)),
                workspace_id: has_key.then(|| WorkspaceId::new(id)),
                plan: plan.as_deref(),
                entitlements: &gives,
                permissions: Cow::Borrowed(&permissions[..]),
                limits: names.iter().map(|(name, limit, remaining, reset_after)| LimitBody { name, limit: *limit, remaining: *remaining, reset_after: *reset_after }).collect(),
                violated: violated.iter().map(String::as_str).collect(),
                over: over.iter().map(String::as_str).collect(),
                hold: hold.map(|(id, expires_at)| HoldBody { id, expires_at }),
                retry_after,
                expires_at,
                external_id: external_id.as_deref(),
                meta: MetaText(&meta),
            };
            prop_assert_eq!(String::from_utf8_lossy(&json(&answer)).into_owned(), serde_json::to_string(&answer).unwrap_or_default());
        }
    }
}
