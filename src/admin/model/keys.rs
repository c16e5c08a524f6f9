//! Keys, APIs and refusals of everybody.

use crate::{
    keys::model::{Api, ApiRoute, Bundle, KeyDetail, KeyLimit, KeyList},
    usage::model::{AttemptsFrom, RefusalList},
    values::Typed,
};
use serde::{Deserialize, Serialize};

/// What `/admin/keys` shows: the list, and the key that was chosen in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllKeys {
    pub list: KeyList,
    pub chosen: Option<KeyDetail>,
}

/// One API with its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiRow {
    pub api: Api,
    /// Those that are not revoked.
    pub keys: u64,
}

/// What `/admin/apis` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiList {
    pub rows: Vec<ApiRow>,
}

/// Which bundle the form is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BundleForm {
    New,
    Change(Bundle),
}

/// What `/admin/apis/{slug}` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiPage {
    pub api: Api,
    /// Those that are not revoked.
    pub keys: u64,
    pub routes: Vec<ApiRoute>,
    /// The one that is being changed or removed.
    pub chosen: Option<ApiRoute>,
    /// What becomes of its calls once it is removed, and the version of that.
    pub without: Option<(String, String)>,
    /// How many keys that are not revoked hold each bundle, in the order of the API's.
    pub bundle_keys: Vec<u64>,
    /// The form of a bundle is shown in place of that of a route.
    pub bundle_form: Option<BundleForm>,
    /// Of each of its keys that nothing nearer limits; none for an operator who may not see plans.
    pub limits: Option<Vec<KeyLimit>>,
}

/// What the form of an API changes, in texts; what it has no field for stays. The ticked permissions are sent apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedApi {
    pub name: String,
    /// Lines `resource:action description`.
    pub permissions: Typed,
    /// A word of `Unmatched`: what becomes of calls that no route matches.
    pub unmatched: Typed,
    /// `answer`, or `key`: what becomes of a preflight.
    pub preflights: Typed,
    /// How many calls that pass are kept as samples; empty: none.
    pub sample_one_in: Typed,
    /// The state that the form showed (`Api::version`).
    pub version: String,
}

/// What `/admin/refusals` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllRefusals {
    pub list: RefusalList,
    /// Attempts of today with secrets that no key has.
    pub attempts: Vec<AttemptsFrom>,
}
