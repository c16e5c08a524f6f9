//! Lists of keys as other systems export them: CSV with a head, or JSON objects. Known are our own words, those of Unkey (`hash: {value,
//! variant}`, `expires` in milliseconds; a dump of its table, too: `unkey`) and of Better Auth (`key` is the hash, `permissions` an object of
//! actions by resource; a dump of its table, too).

use super::{
    hash::{self, Hash},
    limits::{Limited, take_limits},
    unkey,
};
use crate::{
    error::AppError,
    keys::{
        model::{Environment, Meta, Preset},
        server::{about, key_routes, origins, rules, salted},
    },
    platform::{
        LocalTime, csv,
        loose::{self, says_something, take},
    },
};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// One key of a list; texts as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// How its secret begins.
    pub start: String,
    pub hash: Hash,
    /// The email of its owner.
    pub account: Option<String>,
    /// None: those of its bundles, or without any, those that only read. The name of a preset may stand there alone.
    pub permissions: Option<Vec<String>>,
    pub tags: Vec<String>,
    pub external_id: Option<String>,
    pub meta: Meta,
    /// Networks.
    pub addresses: Vec<String>,
    /// Of web pages.
    pub origins: Vec<String>,
    /// Names, as they stand there.
    pub bundles: Vec<String>,
    /// `GET /orders/{id}`
    pub routes: Vec<String>,
    pub limited: Limited,
    pub expires_at: Option<OffsetDateTime>,
    pub environment: Environment,
    pub is_enabled: bool,
    /// Fields that say something which is not imported.
    pub left_out: Vec<String>,
}

/// A line of a list: its number, its name, and the key or what is wrong with it.
pub struct Line {
    pub number: usize,
    pub name: String,
    pub key: Result<Listed, String>,
    /// It was deleted where it comes from: nothing is wrong with it, and it is no key.
    pub is_deleted: bool,
}

impl Line {
    fn wrong(number: usize, words: &str) -> Self {
        Self { number, name: String::new(), key: Err(words.to_owned()), is_deleted: false }
    }
}

/// A file: JSON if it begins so, else CSV. Days are those of `local`.
pub fn text(text: &str, local: &LocalTime) -> Result<Vec<Line>, AppError> {
    let start = text.trim_start();
    if start.starts_with(['[', '{']) {
        let document: Value = serde_json::from_str(text).map_err(|error| AppError::invalid("list", format!("This is not JSON: {error}.")))?;
        return objects(document, local);
    }
    let mut lines = csv::read(text).into_iter();
    let (_, head) = lines.next().ok_or_else(|| AppError::invalid("list", "The list is empty."))?;
    let head: Vec<String> = head.iter().map(|cell| cell.trim().to_owned()).collect();
    let is_dump = is_dump_of_better_auth(&head);
    let is_table = is_dump || unkey::is_table(&head);
    let head = if is_dump { head.iter().map(|name| camel(name)).collect() } else { head };
    if !is_dump && !head.iter().any(|name| HASH.contains(&name.as_str()) && name != SECRET) {
        let next =
            if head.iter().any(|name| name == SECRET) { " If “key” holds hashes, as in a table of Better Auth, rename it to “hash”." } else { "" };
        return Err(AppError::invalid("list", format!("The first line names the columns, and one of them is hash.{next}")));
    }
    let is_said = |name: &str, text: &str| match text.trim() {
        "" => false,
        // A list that a person made may have a key of this name.
        "NULL" | "\\N" if is_table || name != NAME => false,
        "null" if is_table => false,
        _ => is_dump || name != SECRET,
    };
    let object = |(number, cells): (usize, Vec<String>)| {
        let fields = head.iter().cloned().zip(cells).filter(|(name, text)| is_said(name, text));
        line(number, fields.map(|(name, text)| (name, Value::String(text))).collect(), local)
    };
    Ok(lines.map(object).collect())
}

/// A list of objects, or an object that has it as `keys` or `data`.
pub fn objects(mut document: Value, local: &LocalTime) -> Result<Vec<Line>, AppError> {
    let inner = ["keys", "data"].into_iter().find_map(|name| document.get_mut(name).map(Value::take));
    let Value::Array(list) = inner.unwrap_or(document) else {
        return Err(AppError::invalid("list", "The list is a JSON array of objects, or an object with keys or data."));
    };
    let object = |(i, value)| match value {
        Value::Object(fields) => line(i + 1, fields, local),
        _ => Line::wrong(i + 1, "This is not an object."),
    };
    Ok(list.into_iter().enumerate().map(object).collect())
}

const NAME: &str = "name";
const HASH: [&str; 4] = ["hash", "key_hash", "hashed_key", "key"];
/// Better Auth's objects have the hash under this name, and so has a dump of its table. In another table it would as likely be the secret itself.
const SECRET: &str = "key";
/// Columns that nobody but Better Auth has.
const OF_BETTER_AUTH: [&str; 3] = ["rateLimitEnabled", "rateLimitTimeWindow", "requestCount"];

/// By its columns, in words of its own or with lines between.
fn is_dump_of_better_auth(head: &[String]) -> bool {
    let has = |wanted: &str| head.iter().any(|name| camel(name) == wanted);
    has(SECRET) && OF_BETTER_AUTH.into_iter().all(has) && !head.iter().any(|name| HASH.contains(&name.as_str()) && name != SECRET)
}

/// `rate_limit_max` as `rateLimitMax`.
fn camel(name: &str) -> String {
    let mut is_after_line = false;
    let mut camel = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '_' => is_after_line = true,
            c if is_after_line => {
                camel.push(c.to_ascii_uppercase());
                is_after_line = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

/// What says nothing that a key needs, or says it of another system.
const SILENT: [&str; 14] = [
    "id",
    "keyId",
    "key_id",
    "userId",
    "referenceId",
    "configId",
    "prefix",
    "apiId",
    "workspaceId",
    "createdAt",
    "created_at",
    "updatedAt",
    "lastRequest",
    "requestCount",
];

fn line(number: usize, mut fields: Map<String, Value>, local: &LocalTime) -> Line {
    let name = take(&mut fields, &[NAME]).and_then(|v| v.as_str().map(|t| t.trim().to_owned())).filter(|t| !t.is_empty());
    let name = name.unwrap_or_else(|| format!("imported {number}"));
    if let Some(words) = unkey::deleted(&mut fields) {
        return Line { number, name, key: Err(words), is_deleted: true };
    }
    unkey::rename(&mut fields);
    Line { number, key: listed(name.clone(), fields, local), name, is_deleted: false }
}

fn listed(name: String, mut fields: Map<String, Value>, local: &LocalTime) -> Result<Listed, String> {
    let hash = take(&mut fields, &HASH).map(|value| value.get("value").cloned().unwrap_or(value));
    let hash = hash.as_ref().and_then(Value::as_str).unwrap_or_default();
    let prefix = fields.get("prefix").and_then(Value::as_str).map(str::to_owned);
    let start = take(&mut fields, &["start"]).and_then(|v| v.as_str().map(str::to_owned)).or(prefix).unwrap_or_default();
    if start.len() >= 3 && hash.starts_with(&start) {
        return Err("This looks like the secret itself. Only its hash is needed.".to_owned());
    }
    let hash = hash::read(hash)?;
    if hash.phc.is_some() && !(start.len() >= *salted::START.start() && start.bytes().all(|b| b.is_ascii_graphic())) {
        return Err("A bcrypt or Argon2 hash needs start: the first 8 to 16 characters of its secret, by which it is found.".to_owned());
    }
    let shown = if hash.phc.is_some() { *salted::START.end() } else { 24 };
    let expires_at = take(&mut fields, &["expires_at", "expiresAt", "expires"]).map(|value| moment(value, local)).transpose()?;
    let account = take(&mut fields, &["account"]).map(account).transpose()?.flatten();
    let permissions = take(&mut fields, &["permissions"]).map(permissions).transpose()?;
    let preset = take(&mut fields, &["preset"]).and_then(|value| value.as_str().map(|text| text.trim().to_owned())).filter(|text| !text.is_empty());
    let permissions = match (permissions, preset) {
        (Some(_), Some(_)) => return Err(rules::EITHER.to_owned()),
        (None, Some(word)) if Preset::parse(&word).is_none() => return Err(rules::PRESET.to_owned()),
        (None, Some(word)) => Some(vec![word]),
        (permissions, None) => permissions,
    };
    let tags = take(&mut fields, &["tags"]).map(permissions_or_words).transpose()?.unwrap_or_default();
    let meta = take(&mut fields, &["meta", "metadata"]).map(meta).transpose()?.unwrap_or_default();
    let addresses = take(&mut fields, &["addresses", "ipWhitelist", "ip_whitelist"]).map(permissions_or_words).transpose()?.unwrap_or_default();
    let origins = take(&mut fields, &["origins", "allowedOrigins", "allowed_origins"]).map(permissions_or_words).transpose()?.unwrap_or_default();
    let bundles = take(&mut fields, &["bundles"]).map(permissions_or_words).transpose()?.unwrap_or_default();
    let routes = take(&mut fields, &["routes"]).map(lines).transpose()?.unwrap_or_default();
    let mut limited = take_limits(&mut fields)?;
    let mut left_out = std::mem::take(&mut limited.left_out);
    if fields.get("identity").and_then(|identity| identity.get("ratelimits")).is_some_and(says_something) {
        left_out.push("ratelimits of the identity".to_owned());
    }
    let external_id = external_id(&mut fields)?;
    let is_enabled = take(&mut fields, &["enabled"]).map_or(Ok(true), truth)?;
    let environment = match take(&mut fields, &["environment"]).as_ref().and_then(Value::as_str) {
        Some("test") => Environment::Test,
        _ => Environment::Live,
    };
    SILENT.iter().chain(&unkey::SILENT).for_each(|name| _ = fields.remove(*name));
    left_out.extend(fields.into_iter().filter(|(_, value)| says_something(value)).map(|(name, _)| name));
    Ok(Listed {
        name,
        start: start.chars().filter(|c| !c.is_control()).take(shown).collect(),
        hash,
        account,
        permissions,
        tags,
        external_id,
        meta,
        addresses: rules::addresses(addresses.iter().map(String::as_str))?,
        origins: origins::origins(origins.iter().map(String::as_str))?,
        bundles,
        routes: key_routes::key_routes(routes.iter().map(String::as_str))?,
        limited,
        expires_at,
        environment,
        is_enabled,
        left_out,
    })
}

/// A day is over when it begins, as in lists of new keys.
fn moment(value: Value, local: &LocalTime) -> Result<OffsetDateTime, String> {
    let day = || value.as_str().map(str::trim).filter(|text| text.len() == "2027-01-31".len()).and_then(|text| local.start_of(text));
    loose::moment(&value).or_else(day).ok_or_else(|| format!("{value} is no moment: write 2027-01-31, 2027-01-31T00:00:00Z, or milliseconds since 1970."))
}

/// An address; empty, there is none.
fn account(value: Value) -> Result<Option<String>, String> {
    let text = value.as_str().ok_or("account is the email of the owner.")?.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// An object, or a text that holds one.
fn meta(value: Value) -> Result<Meta, String> {
    match value {
        Value::Object(object) => about::meta(object),
        Value::String(text) => about::typed(&text),
        _ => Err("meta is an object.".to_owned()),
    }
}

/// A field of its own, the owner in Unkey, or that of Unkey's identity, of which its table knows only the id; a text or a number.
fn external_id(fields: &mut Map<String, Value>) -> Result<Option<String>, String> {
    let own = take(fields, &["external_id", "externalId", "owner_id", "ownerId"]);
    let of_identity = take(fields, &["identity"]).and_then(|identity| identity.get("externalId").cloned());
    let identity = take(fields, &["identity_id", "identityId"]);
    match own.or(of_identity).or(identity) {
        Some(Value::String(text)) => Ok(about::external_id(&text)?),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err("An external id is a text.".to_owned()),
    }
}

fn truth(value: Value) -> Result<bool, String> {
    loose::truth(&value).ok_or_else(|| format!("enabled is true or false, not {value}."))
}

/// A list, words, an object of actions by resource, or a text that holds one of them.
fn permissions(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
            permissions(serde_json::from_str(&text).map_err(|_| format!("{text} can't be read as permissions."))?)
        }
        Value::Object(by_resource) => {
            let of = |(resource, actions): (String, Value)| Ok(permissions_or_words(actions)?.into_iter().map(move |action| format!("{resource}:{action}")));
            let all = by_resource.into_iter().map(of).collect::<Result<Vec<_>, String>>()?;
            Ok(all.into_iter().flatten().collect())
        }
        value => permissions_or_words(value),
    }
}

fn permissions_or_words(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(text.split([',', ';', ' ', '\n']).filter(|t| !t.is_empty()).map(str::to_owned).collect()),
        Value::Array(list) => list.into_iter().map(|v| v.as_str().map(str::to_owned).ok_or_else(|| format!("{v} is no word."))).collect(),
        value => Err(format!("{value} is no list of words.")),
    }
}

/// A list, or a text with a route on each line or behind a semicolon, as our own files have them.
fn lines(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(text.split([';', '\n', '\r']).filter(|route| !route.trim().is_empty()).map(str::to_owned).collect()),
        value => permissions_or_words(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BASE64: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

    fn utc() -> LocalTime {
        LocalTime::new("UTC", time::macros::datetime!(2026-11-20 12:00 UTC))
    }

    fn text(text: &str) -> Result<Vec<Line>, AppError> {
        super::text(text, &utc())
    }

    fn objects(document: Value) -> Result<Vec<Line>, AppError> {
        super::objects(document, &utc())
    }

    fn one(document: Value) -> Listed {
        let mut lines = objects(document).expect("a list");
        lines.pop().expect("a line").key.expect("a key")
    }

    #[test]
    fn unkey_s_shape_is_known() {
        let key = one(json!([{ "apiId": "api_1", "name": "shop", "start": "sk_3x", "hash": { "value": BASE64, "variant": "sha256_base64" },
            "expires": 1_800_000_000_000_i64, "enabled": false, "permissions": ["orders:read"], "meta": { "plan": "gold" }, "externalId": "user_42", "remaining": 100 }]));
        assert_eq!((about::stored(&key.meta).as_deref(), key.external_id.as_deref()), (Some(r#"{"plan":"gold"}"#), Some("user_42")));
        assert_eq!((key.name.as_str(), key.start.as_str(), key.is_enabled), ("shop", "sk_3x", false));
        assert_eq!(key.expires_at.map(OffsetDateTime::unix_timestamp), Some(1_800_000_000));
        assert_eq!((key.permissions, key.limited.limits.len(), key.left_out), (Some(vec!["orders:read".to_owned()]), 1, vec![]));
    }

    #[test]
    fn better_auth_s_shape_is_known() {
        let key = one(json!({ "data": [{ "id": "1", "name": "shop", "start": "abcdef", "prefix": "ab", "key": BASE64, "userId": "u", "enabled": true,
            "expiresAt": "2027-01-31T00:00:00.000Z", "permissions": "{\"orders\":[\"read\",\"write\"]}", "metadata": "{\"team\":\"a\"}", "rateLimitEnabled": true }] }));
        assert_eq!(about::stored(&key.meta).as_deref(), Some(r#"{"team":"a"}"#));
        assert_eq!(key.permissions, Some(vec!["orders:read".to_owned(), "orders:write".to_owned()]));
        assert!(key.is_enabled && key.expires_at.is_some());
        assert_eq!(key.left_out, ["rateLimitEnabled"]);
    }

    #[test]
    fn a_dump_of_better_auth_s_table_is_read_as_it_is() {
        let head = "id,configId,name,start,prefix,key,referenceId,refillInterval,refillAmount,lastRefillAt,enabled,rateLimitEnabled,rateLimitTimeWindow,\
            rateLimitMax,requestCount,remaining,lastRequest,expiresAt,createdAt,updatedAt,permissions,metadata";
        let cells = format!(
            "1,default,shop,abcdef,ab,{BASE64},u,,,,t,t,86400000,10,7,NULL,2026-11-20 10:00:00+00,2027-01-31 00:00:00+00,2026-01-01,2026-01-01,\"{{\"\"orders\"\":[\"\"read\"\"]}}\",null"
        );
        let snake = "id,name,start,key,rate_limit_enabled,rate_limit_time_window,rate_limit_max,request_count,expires_at,enabled";
        let cells_of_snake = format!("1,shop,abcdef,{BASE64},f,86400000,10,0,,0");
        let one = |dump: String| text(&dump).expect("a list").pop().expect("a line").key;
        let key = one(format!("{head}\n{cells}\n")).expect("a key");
        assert_eq!((key.name.as_str(), key.start.as_str(), key.hash.bytes.len(), key.is_enabled), ("shop", "abcdef", 32, true));
        assert_eq!(key.expires_at.map(OffsetDateTime::unix_timestamp), Some(1_801_353_600));
        assert_eq!((key.permissions, key.limited.limits.len(), key.left_out), (Some(vec!["orders:read".to_owned()]), 1, vec![]));
        let key = one(format!("{snake}\n{cells_of_snake}\n")).expect("a key");
        assert_eq!((key.is_enabled, key.limited.limits.len(), key.left_out), (false, 0, vec![]));
        let kept = one(format!("{snake}\n1,shop,abcdef,abcdef{},t,86400000,10,0,,1\n", &BASE64[6..]));
        assert!(kept.is_err_and(|words| words.contains("the secret itself")), "Better Auth may be set to keep secrets");
    }

    #[test]
    fn a_dump_of_unkey_s_table_is_read_as_it_is() {
        let head = "id,pk,key_auth_id,hash,start,workspace_id,for_workspace_id,name,owner_id,identity_id,meta,expires,created_at_m,updated_at_m,deleted_at_m,\
            refill_day,refill_amount,last_refill_at,enabled,remaining_requests,ratelimit_async,ratelimit_limit,ratelimit_duration,environment";
        let row = |cells: &str| format!("key_1,1,ks_1,{BASE64},sk_3x,ws_1,NULL,{cells},NULL\n");
        let dump = [
            row(
                "shop,user_42,id_1,\"{\"\"plan\"\":\"\"gold\"\"}\",2027-01-31 00:00:00.000,1700000000000,NULL,NULL,15,100,2026-11-15 00:00:00.000,1,40,1,10,60000",
            ),
            row("NULL,NULL,id_2,NULL,NULL,1700000000000,NULL,NULL,NULL,100,NULL,0,100,NULL,5,1500"),
            row("gone,user_1,NULL,NULL,NULL,1700000000000,NULL,1701000000000,NULL,NULL,NULL,1,NULL,NULL,NULL,NULL"),
        ];
        let lines = text(&format!("{head}\n{}", dump.concat())).expect("a list");
        let [shop, plain, gone] = &lines[..] else { panic!("three lines") };
        let key = shop.key.as_ref().expect("a key");
        assert_eq!((key.name.as_str(), key.start.as_str(), key.external_id.as_deref(), key.is_enabled), ("shop", "sk_3x", Some("user_42"), true));
        assert_eq!(
            (about::stored(&key.meta).as_deref(), key.expires_at.map(OffsetDateTime::unix_timestamp)),
            (Some(r#"{"plan":"gold"}"#), Some(1_801_353_600))
        );
        let limits = |key: &Listed| key.limited.limits.iter().map(|limit| format!("{}: {}", limit.name, limit.words())).collect::<Vec<_>>();
        assert_eq!(limits(key), ["default: 10 units a minute", "credits: 100 units a month"]);
        assert_eq!(key.left_out, ["remaining of this month", "refillDay (a month begins with its first day)"]);
        let key = plain.key.as_ref().expect("a key");
        assert_eq!((key.name.as_str(), key.external_id.as_deref(), key.is_enabled, key.expires_at), ("imported 3", Some("id_2"), false, None));
        assert_eq!(limits(key), ["credits: 100 credits, +100 every day"]);
        assert_eq!(key.left_out, ["ratelimit (5 in 1500 ms: a window is whole seconds, at most 31 days)"]);
        assert_eq!((gone.key.as_ref().err().map(String::as_str), gone.is_deleted), (Some("It was deleted where it comes from on 2023-11-26."), true));
    }

    #[test]
    fn a_day_is_over_where_the_person_is() {
        let of = |expires: &str| {
            let fields = json!([{ "hash": BASE64, "expires_at": expires, "account": " Mara@example.com " }]);
            let local = LocalTime::new("Europe/Stockholm", time::macros::datetime!(2026-11-20 12:00 UTC));
            super::objects(fields, &local)
                .expect("a list")
                .pop()
                .expect("a line")
                .key
                .map(|key| (key.expires_at.map(OffsetDateTime::unix_timestamp), key.account))
        };
        assert_eq!(of("2027-01-31"), Ok((Some(1_801_350_000), Some("Mara@example.com".to_owned()))));
        assert_eq!(of("2027-01-31T00:00:00Z").map(|(end, _)| end), Ok(Some(1_801_353_600)));
        assert!(of("31.1.2027").is_err_and(|words| words.contains("write 2027-01-31,")) && of("2027-01-32").is_err());
    }

    #[test]
    fn a_cell_of_a_person_s_list_may_say_null() {
        let lines = text(&format!("name;hash;expires_at\nNULL;{BASE64};NULL\n")).expect("a list");
        let key = lines[0].key.as_ref().expect("a key");
        assert_eq!((key.name.as_str(), key.expires_at), ("NULL", None));
    }

    #[test]
    fn who_uses_it_stands_in_one_of_several_places() {
        let of = |more: Value| {
            let mut fields = json!({ "hash": BASE64 });
            fields.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
            objects(json!([fields])).expect("a list").pop().expect("a line").key.map(|key| key.external_id)
        };
        assert_eq!(of(json!({ "identity": { "id": "id_1", "externalId": "u" } })), Ok(Some("u".to_owned())));
        assert_eq!(of(json!({ "external_id": 7 })), Ok(Some("7".to_owned())));
        assert_eq!(of(json!({ "external_id": " ", "identity": null })), Ok(None));
        assert_eq!(of(json!({ "ownerId": "user_1", "identityId": "id_1" })), Ok(Some("user_1".to_owned())));
        assert!(of(json!({ "externalId": "x".repeat(201) })).is_err() && of(json!({ "meta": "gold" })).is_err());
    }

    #[test]
    fn addresses_are_networks_and_limits_of_others_are_named() {
        let identity = json!({ "externalId": "u", "ratelimits": [{ "name": "all", "limit": 5, "duration": 1000 }] });
        let key = one(json!([{ "hash": BASE64, "addresses": ["203.0.113.7"], "identity": identity, "roles": ["admin"] }]));
        assert_eq!((key.addresses, key.external_id.as_deref()), (vec!["203.0.113.7/32".to_owned()], Some("u")));
        assert_eq!(key.left_out, ["ratelimits of the identity", "roles"]);
        let of = |routes: Value| {
            let mut lines = objects(json!([{ "hash": BASE64, "routes": routes }])).expect("a list");
            lines.pop().expect("a line").key.map(|key| key.routes)
        };
        assert_eq!(of(json!("GET /orders; /reports/*")), Ok(vec!["GET /orders".to_owned(), "* /reports/*".to_owned()]));
        assert_eq!(of(json!(["get /orders/"])), Ok(vec!["GET /orders".to_owned()]));
        assert!(of(json!(["FETCH /orders"])).is_err_and(|words| words.contains("does not begin with a method")));
        let key = one(json!([{ "hash": BASE64, "origins": "https://app.example.com https://*.example.com", "bundles": ["order-desk"] }]));
        assert_eq!((key.origins.len(), key.bundles, key.left_out.len()), (2, vec!["order-desk".to_owned()], 0));
        let wrong = objects(json!([{ "hash": BASE64, "addresses": "everywhere" }])).expect("a list").pop().expect("a line");
        assert!(wrong.key.is_err_and(|words| words.starts_with("everywhere")));
    }

    #[test]
    fn a_preset_is_named_by_itself_or_where_permissions_stand() {
        let of = |more: Value| {
            let mut fields = json!({ "hash": BASE64 });
            fields.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
            objects(json!([fields])).expect("a list").pop().expect("a line").key.map(|key| key.permissions)
        };
        let basic = Ok(Some(vec!["basic".to_owned()]));
        assert_eq!((of(json!({ "preset": "basic" })), of(json!({ "permissions": "basic" }))), (basic.clone(), basic));
        assert_eq!(of(json!({ "preset": "all" })), Err(rules::PRESET.to_owned()));
        assert_eq!(of(json!({ "preset": "basic", "permissions": ["orders:read"] })), Err(rules::EITHER.to_owned()));
    }

    #[test]
    fn csv_has_a_head_and_wrong_lines_stand_alone() {
        let lines = text(&format!("name,hash,tags\nshop,{BASE64},\"prod,team-a\"\n,nonsense,\n")).expect("a list");
        assert_eq!(lines[0].key.as_ref().map(|k| k.tags.clone()), Ok(vec!["prod".to_owned(), "team-a".to_owned()]));
        assert_eq!((lines[1].number, lines[1].name.as_str(), lines[1].key.is_err()), (3, "imported 3", true));
        for wrong in ["", "name\nx", "[1", "{\"keys\":1}"] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
        let dumped = text(&format!("id,name,key\n1,shop,{BASE64}\n")).err();
        assert!(dumped.is_some_and(|error| error.field("list").is_some_and(|words| words.contains("rename it to “hash”"))));
    }
}
