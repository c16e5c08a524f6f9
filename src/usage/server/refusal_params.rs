//! What the exports of refusals may be asked for, one's own and everybody's: said once, for the OpenAPI document and for their handlers.

/// The filters of samples. The handlers read pairs (`http::known`), to name a parameter that nobody knows: this describes them only.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RefusalParams {
    /// `csv` (default) or `json`
    pub format: Option<String>,
    /// Only this code, such as `FORBIDDEN`; `VALID`: calls that passed. Without it all that did not pass
    pub code: Option<String>,
    /// Only this key
    pub key: Option<String>,
    /// Only this route
    pub route: Option<String>,
    /// Only calls from this address
    pub address: Option<String>,
    /// Only calls that needed this permission, which their key had not, such as `orders:write`
    pub permission: Option<String>,
    /// Only calls of the API with this slug
    pub api: Option<String>,
    /// Only the request with this id
    pub request: Option<String>,
    /// Only calls that the limit of this name refused
    pub limit: Option<String>,
    /// Only what this refused: `address_blocked`, `address_slowed`, `form`, `unknown`, `secret`, `revoked`, `owner_banned`, `disabled`, `key_blocked`, `expiry`, `address`, `origin`, `api`, `route`, `path`, `unread`, `permission`, `key_route`, `unsigned`, `signature`, `key_slowed`, `limit`
    pub rule: Option<String>,
    /// `1h`, `24h`, `7d`, `30d` (default)
    pub range: Option<String>,
    /// In place of `range`: RFC 3339, or a day of your time zone
    pub from: Option<String>,
    /// RFC 3339, or a day, which is meant whole
    pub to: Option<String>,
}

impl RefusalParams {
    /// Their names.
    pub const NAMES: [&'static str; 13] = ["format", "code", "key", "api", "route", "address", "permission", "request", "limit", "rule", "range", "from", "to"];
}
