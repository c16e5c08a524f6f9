//! What names, expiries, permissions and limits may be. The same words for forms, REST and the command line.

use super::{
    gate::is_known_zone,
    grants::is_withheld,
    store::{keys::list_owner_permissions, limits::list_known_zones},
};
use crate::{
    accounts::Caller,
    error::{AppError, FieldError, Fields},
    keys::model::{Api, ApiPermission, KeyLimit, LimitChange, LimitUnit, Over, Window, Withheld, Zone},
    platform::Ctx,
    values::{Permission, WorkspaceId, is_blank, turns_writing},
};
use ipnet::{IpNet, Ipv4Net};
use sqlx::PgConnection;
use std::{collections::HashMap, net::IpAddr};
use time::{Duration, OffsetDateTime};

/// The name of a key: 1 to 80 characters on one line.
pub fn name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("Enter a name, for example the name of the program that will use it."),
        81.. => Err("A name has at most 80 characters."),
        _ if text.chars().all(is_blank) => Err("Nobody sees this name. Write letters or digits."),
        _ if text.chars().any(char::is_control) => Err("A name stands on one line, without control characters."),
        _ if text.chars().any(turns_writing) => Err("A name has no characters that turn the direction of writing. Type it anew."),
        _ => Ok(text.to_owned()),
    }
}

/// The name of an API, a plan or a group, by which no program goes.
pub fn plain_name(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("Enter a name, 1 to 80 characters.") } else { name(text) }
}

/// An expiry lies ahead, at most ten years. To the second, so that it reads the same everywhere.
pub fn expiry(at: OffsetDateTime, now: OffsetDateTime) -> Result<OffsetDateTime, &'static str> {
    if at <= now {
        return Err("This has passed already. Choose a later date, or disable the key.");
    }
    if at > now + Duration::days(3_660) {
        return Err("A key lasts at most ten years. Choose an earlier date, or let it never expire.");
    }
    at.replace_nanosecond(0).map_err(|_| "This is not a date.")
}

/// "30d", "12h", "never": how long a new key lasts.
pub fn lifetime(text: &str) -> Result<Option<Duration>, &'static str> {
    const RULE: &str = "Write a number and a unit: 12h, 30d, 8w or 1y; or never.";
    let text = text.trim();
    if text.is_empty() || text == "never" {
        return Ok(None);
    }
    let (number, unit) = text.split_at_checked(text.len() - 1).ok_or(RULE)?;
    let number: i64 = number.parse().map_err(|_| RULE)?;
    let days = match unit {
        "h" if (1..=87_600).contains(&number) => return Ok(Some(Duration::hours(number))),
        "d" => Some(number),
        "w" => number.checked_mul(7),
        "y" => number.checked_mul(365),
        _ => None,
    };
    match days {
        Some(days @ 1..=3_650) => Ok(Some(Duration::days(days))),
        Some(_) => Err("A key lasts from one hour to ten years."),
        None => Err(RULE),
    }
}

/// Permissions that the API knows, sorted, each once.
pub fn permissions(api: &Api, texts: &[String]) -> Result<Vec<Permission>, String> {
    let mut parsed = texts.iter().map(|text| permission(api, text)).collect::<Result<Vec<_>, _>>()?;
    parsed.sort();
    parsed.dedup();
    Ok(parsed)
}

/// The same; each wrong one is noted by its place, `permissions.1`.
pub fn permissions_in(fields: &mut Fields, api: &Api, texts: &[String]) -> Option<Vec<Permission>> {
    let named = texts.iter().enumerate().map(|(place, text)| fields.check(&format!("permissions.{place}"), permission(api, text)));
    // Each is looked at, also behind a wrong one.
    let mut parsed = named.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    parsed.sort();
    parsed.dedup();
    Some(parsed)
}

/// One that the API knows.
pub fn permission(api: &Api, text: &str) -> Result<Permission, String> {
    let wrong = |rule: &str| format!("“{}” is no permission. {rule}", text.chars().take(64).collect::<String>());
    let permission = text.trim().parse::<Permission>().map_err(wrong)?;
    if api.permissions.iter().any(|p| p.permission == permission) {
        return Ok(permission);
    }
    Err(format!("The API {} knows no permission {permission}.", api.slug))
}

/// From how many networks a key may be used at most.
const MAX_ADDRESSES: usize = 50;

/// Networks in CIDR notation or single addresses, v4 or v6; as networks without host bits, sorted, each once.
pub fn addresses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut networks = Vec::new();
    for text in texts.into_iter().map(str::trim) {
        must_say(text)?;
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        networks
            .push(canonical(network.map_err(|_| format!("{text} is neither an address nor a network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."))?));
    }
    networks.sort();
    networks.dedup();
    match networks.len() {
        0..=MAX_ADDRESSES => Ok(networks.iter().map(ToString::to_string).collect()),
        _ => Err(format!("A key has at most {MAX_ADDRESSES} networks.")),
    }
}

/// Without host bits. IPv4 written as IPv6 is IPv4, as the addresses of calls are: `::ffff:203.0.113.0/120` is 203.0.113.0/24.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let mapped = match network {
        IpNet::V6(wide) => wide.addr().to_ipv4_mapped().zip(wide.prefix_len().checked_sub(MAPPED)),
        IpNet::V4(_) => None,
    };
    let mapped = mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    mapped.map_or(network, IpNet::from).trunc()
}

/// An entry of a list is no blank text: an empty variable of a script would otherwise empty the list, which opens the key. Forms leave out
/// empty lines before.
pub fn must_say(entry: &str) -> Result<(), &'static str> {
    if entry.trim().is_empty() { Err(BLANK) } else { Ok(()) }
}

/// What a rule keeps of a list; each entry that is wrong by itself is noted by its place, `addresses.0`: twenty of them at most.
pub fn list<'a>(fields: &mut Fields, field: &str, entries: &'a [String], rule: impl Fn(Vec<&'a str>) -> Result<Vec<String>, String>) -> Option<Vec<String>> {
    let wrong = entries.iter().enumerate().filter_map(|(place, entry)| Some((place, rule(vec![entry.as_str()]).err()?)));
    let wrong: Vec<(usize, String)> = wrong.take(MOST_NOTED).collect();
    if wrong.is_empty() {
        return fields.check(field, rule(entries.iter().map(String::as_str).collect()));
    }
    wrong.into_iter().for_each(|(place, words)| fields.add(&format!("{field}.{place}"), words));
    None
}

/// Entries of one list.
const MOST_NOTED: usize = 20;

const BLANK: &str = "This entry is blank. Leave it out; an empty list stands for none.";

/// How many tags a key has at most.
pub const MAX_TAGS: usize = 10;

/// Tags: 1 to 30 of `a-z0-9-`, at most ten, in lower case, sorted, each once.
pub fn tags<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = texts.into_iter().map(|text| text.trim().to_lowercase()).collect();
    tags.iter().try_for_each(|tag| must_say(tag))?;
    if let Some(wrong) = tags.iter().find(|tag| tag.len() > 30 || !tag.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')) {
        return Err(format!("{wrong} can't be a tag. A tag has 1 to 30 letters a to z, digits and -."));
    }
    tags.sort();
    tags.dedup();
    if tags.len() > MAX_TAGS { Err(format!("A key has at most {MAX_TAGS} tags.")) } else { Ok(tags) }
}

/// Permissions are sent one by one, or by the name of their set.
pub const EITHER: &str = "Send permissions or a preset, not both.";
pub const PRESET: &str = "A preset is basic, read-only or admin.";

/// What a key of the workspace can be given: for Tollgate's own API only what its owner and the caller may (K03), of another what is not withheld.
pub async fn grantable(
    conn: &mut PgConnection,
    caller: &Caller,
    workspace: WorkspaceId,
    api: &Api,
    withheld: &[Withheld],
) -> Result<Vec<ApiPermission>, AppError> {
    if !api.is_own() {
        return Ok(api.permissions.iter().filter(|p| !is_withheld(withheld, &p.permission)).cloned().collect());
    }
    let owner: Vec<Permission> = list_owner_permissions(conn, &[workspace]).await?.into_iter().map(|(_, permission)| permission).collect();
    Ok(api.permissions.iter().filter(|p| caller.may(&p.permission) && owner.contains(&p.permission)).cloned().collect())
}

/// A key for Tollgate itself never may more than its owner, nor than who gives it (K03). Other APIs' permissions are not Tollgate's: their ceiling
/// are grants (`grants`).
pub async fn must_not_exceed(conn: &mut PgConnection, caller: &Caller, workspace: WorkspaceId, api: &Api, permissions: &[Permission]) -> Result<(), AppError> {
    OwnersMay::read(conn, api, &[workspace]).await?.must_not_exceed(caller, workspace, permissions)
}

/// What the owners of workspaces may, where that is a ceiling: for many keys at once.
#[derive(Debug)]
pub struct OwnersMay(Option<HashMap<WorkspaceId, Vec<Permission>>>);

impl OwnersMay {
    /// Asks once, and not at all for keys of another API than Tollgate's own.
    pub async fn read(conn: &mut PgConnection, api: &Api, workspaces: &[WorkspaceId]) -> sqlx::Result<Self> {
        if !api.is_own() {
            return Ok(Self(None));
        }
        let mut owners: HashMap<WorkspaceId, Vec<Permission>> = HashMap::new();
        for (workspace, permission) in list_owner_permissions(conn, workspaces).await? {
            owners.entry(workspace).or_default().push(permission);
        }
        Ok(Self(Some(owners)))
    }

    /// As the function of this name.
    pub fn must_not_exceed<'a>(&self, caller: &Caller, workspace: WorkspaceId, permissions: impl IntoIterator<Item = &'a Permission>) -> Result<(), AppError> {
        let Some(owners) = &self.0 else { return Ok(()) };
        let owner = owners.get(&workspace).map(Vec::as_slice).unwrap_or_default();
        match permissions.into_iter().find(|p| !caller.may(p) || !owner.contains(p)) {
            Some(beyond) => Err(AppError::forbidden(beyond)),
            None => Ok(()),
        }
    }
}

/// The time zones that limits may have, of those that were asked for.
#[derive(Debug, Default)]
pub struct Zones(Vec<Zone>);

/// The time zones that limits name.
pub fn zones_of<'a>(limits: impl IntoIterator<Item = &'a KeyLimit>) -> Vec<Zone> {
    limits.into_iter().filter_map(|limit| limit.window.zone()).collect()
}

/// Which of these both count in: the gate of every node, and Postgres, which estimates what a plan would have cost. Asks Postgres at most
/// once, and only if there is a zone to ask for: reading its list of zones takes it about 150 ms.
pub async fn zones(ctx: &Ctx, mut wanted: Vec<Zone>) -> Result<Zones, AppError> {
    wanted.retain(|zone| is_known_zone(*zone));
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Zones::default());
    }
    let names: Vec<String> = wanted.iter().map(|zone| zone.as_str().to_lowercase()).collect();
    let known = list_known_zones(&ctx.db, &names).await?;
    wanted.retain(|zone| known.contains(&zone.as_str().to_lowercase()));
    Ok(Zones(wanted))
}

/// Not too many limits, each with a name of its own, and zones that there are.
pub async fn limits(ctx: &Ctx, limits: &[KeyLimit]) -> Result<(), AppError> {
    limits_in(limits, &zones(ctx, zones_of(limits)).await?)
}

/// The same where the zones were asked for before.
pub fn limits_in(limits: &[KeyLimit], zones: &Zones) -> Result<(), AppError> {
    let mut fields = crate::error::Fields::default();
    if limits.len() > KeyLimit::MAX_COUNT {
        fields.add("limits", format!("There are at most {} limits in one place. Take one away first.", KeyLimit::MAX_COUNT));
    }
    for (i, limit) in limits.iter().enumerate() {
        let name_is_fine =
            (1..=40).contains(&limit.name.len()) && limit.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
        if !name_is_fine {
            fields.add(&format!("limits.{i}.name"), "The name of a limit has 1 to 40 lower-case letters, digits, - and _.");
        }
        if limits[..i].iter().any(|earlier| earlier.name == limit.name) {
            fields.add(&format!("limits.{i}.name"), "Another limit has this name.");
        }
        if limit.limit > KeyLimit::MAX_CALLS {
            fields.add(&format!("limits.{i}.limit"), format!("A limit is at most 4,294,967,295 {}.", limit.unit));
        }
        if let Window::Seconds(seconds) = limit.window
            && let Err(rule) = Window::seconds(seconds)
        {
            fields.add(&format!("limits.{i}.window"), rule);
        }
        if limit.window.zone().is_some_and(|zone| !zones.0.contains(&zone)) {
            fields.add(&format!("limits.{i}.window"), Window::ZONE);
        }
        if !limit.unit.suits(limit.window) {
            fields.add(&format!("limits.{i}.unit"), LimitUnit::OF_WINDOWS);
        }
        if limit.window.is_concurrent() {
            at_the_same_time(i, limits, &mut fields);
        }
        if limit.over.action.per_second().is_some_and(|n| Over::throttle(n).is_none()) {
            fields.add(&format!("limits.{i}.over.per_second"), Over::NUMBER_OF_THROTTLE);
        }
    }
    fields.done()
}

/// No action beyond one of these new limits has ended already.
pub fn none_ended(ctx: &Ctx, limits: &[KeyLimit]) -> Result<(), AppError> {
    let (mut fields, now) = (crate::error::Fields::default(), ctx.clock.now());
    let ended = limits.iter().enumerate().filter(|(_, limit)| limit.over.has_ended(now));
    ended.for_each(|(i, _)| fields.add(&format!("limits.{i}.over.until"), Over::ENDED));
    fields.done()
}

/// Those after a change of one, whose zone was asked for; those of the others were when they were set. What is wrong stands at the fields of
/// the form that changes it.
pub fn limits_after(before: &[KeyLimit], change: &LimitChange, mut zones: Zones) -> Result<Vec<KeyLimit>, AppError> {
    let change = &LimitChange { now: change.named(before), ..change.clone() };
    let after = change.of(before).map_err(|words| AppError::invalid("name", words))?;
    if after != before
        && let Some(was) = &change.was
    {
        let now = KeyLimit::version_of(before.iter().find(|limit| limit.name == *was));
        AppError::unless_seen(change.seen.as_deref(), &now, "This limit")?;
    }
    zones.0.extend(zones_of(before));
    // With the changed one at the end, so that what two can't be both is its fault.
    let mut checked = after.clone();
    checked.sort_by_key(|limit| change.now.as_ref() == Some(limit));
    match limits_in(&checked, &zones) {
        Ok(()) => Ok(after),
        Err(AppError::Invalid { fields }) => Err(AppError::Invalid { fields: fields.into_iter().map(in_form).collect() }),
        Err(error) => Err(error),
    }
}

/// `limits.3.over.per_second` is `over_per_second` in the form of that limit; that there are too many is said beside its name.
fn in_form(FieldError { field, message }: FieldError) -> FieldError {
    let field = match field.strip_prefix("limits.").and_then(|rest| rest.split_once('.')) {
        Some((_, field)) => field.replace('.', "_"),
        None => "name".to_owned(),
    };
    FieldError { field, message }
}

/// What a limit of calls at the same time may be, the one of this number.
fn at_the_same_time(i: usize, limits: &[KeyLimit], fields: &mut crate::error::Fields) {
    let limit = &limits[i];
    if let Err(rule) = Window::concurrent(limit.window.hold().unwrap_or_default()) {
        fields.add(&format!("limits.{i}.window"), rule);
    }
    if limits[..i].iter().any(|earlier| earlier.window.is_concurrent()) {
        fields.add(&format!("limits.{i}.window"), "Another limit here is of calls at the same time. One is enough: the lower one.");
    }
    if limit.limit > KeyLimit::MAX_AT_ONCE {
        fields.add(&format!("limits.{i}.limit"), "There are at most 10,000 calls at the same time.");
    }
    if limit.over.action.per_second().is_some() {
        fields.add(&format!("limits.{i}.over"), KeyLimit::AT_ONCE_IS_NOT_SLOWED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!((name("  checkout  "), plain_name(" Shop ")), (Ok("checkout".to_owned()), Ok("Shop".to_owned())));
        assert!(plain_name(" ").is_err_and(|words| !words.contains("program")));
        assert_eq!(name(&"ü".repeat(80)).map(|n| n.chars().count()), Ok(80));
        for wrong in ["", "   ", "a\nb", &"x".repeat(81), "\u{3164}\u{200b}", "pay\u{202e}drawer"] {
            assert!(name(wrong).is_err() && plain_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn addresses_become_networks() {
        let networks = addresses(["203.0.113.7", " 10.1.2.3/8 ", "2001:db8::1/32", "::ffff:203.0.113.7", "::ffff:1.2.3.4/120", "2001:db8::/32"]);
        assert_eq!(networks, Ok(["1.2.3.0/24", "10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32"].map(str::to_owned).to_vec()));
        assert_eq!(addresses(["::ffff:0:0/96", "::ffff:0:0/95", "::/0"]), Ok(["0.0.0.0/0", "::/0", "::fffe:0:0/95"].map(str::to_owned).to_vec()));
        for blank in ["", " ", "\n"] {
            assert_eq!(addresses(["203.0.113.7", blank]), Err(BLANK.to_owned()), "an empty variable is not everywhere");
        }
        for wrong in ["10.0.0.0/33", "example.com", "1.2.3", "10.0.0.1-10.0.0.9"] {
            assert!(addresses([wrong]).is_err_and(|words| words.starts_with(wrong)), "{wrong}");
        }
        let many: Vec<String> = (0..51).map(|n| format!("10.0.{n}.0/24")).collect();
        assert!(addresses(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn tags_are_short_words() {
        assert_eq!(tags(["Team-a", " prod ", "prod"]), Ok(["prod", "team-a"].map(str::to_owned).to_vec()));
        for wrong in ["", "a b", "ü", "a_b", "<b>", &"x".repeat(31)] {
            assert!(tags([wrong]).is_err(), "{wrong}");
        }
        let many: Vec<String> = (0..11).map(|n| format!("t{n}")).collect();
        assert!(tags(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn one_limit_is_changed_among_the_others() {
        let limit = |name: &str, window| KeyLimit::new(name, 5, window);
        let zone: Window = "day@Europe/Stockholm".parse().expect("a window");
        let before = [limit("local", zone), limit("open", Window::CONCURRENT)];
        let add = |now: KeyLimit| limits_after(&before, &LimitChange { was: None, now: Some(now), seen: None }, Zones::default());
        assert_eq!(add(limit("hour", Window::HOUR)).map(|after| after.len()).ok(), Some(3), "the zone of another was known before");
        for over in [Over::MARK, Over::throttle(5).unwrap_or_default()] {
            assert!(add(KeyLimit { over, ..limit("paid", "credits".parse().expect("a window")) }).is_ok(), "credits do whatever windows do");
        }
        for (now, field) in [
            (limit("open", Window::HOUR), "name"),
            (limit("Hour", Window::HOUR), "name"),
            (limit("a b", Window::HOUR), "name"),
            (limit("month", "month@Asia/Kolkata".parse().expect("a window")), "window"),
            (limit("a", Window::CONCURRENT), "window"),
        ] {
            assert!(add(now).is_err_and(|error| error.field(field).is_some()), "{field}");
        }
        let many: Vec<KeyLimit> = (0..KeyLimit::MAX_COUNT).map(|n| limit(&format!("l{n:02}"), Window::HOUR)).collect();
        assert!(limits_in(&many, &Zones::default()).is_ok());
        let one_more = LimitChange { was: None, now: Some(limit("more", Window::HOUR)), seen: None };
        let wrong = limits_after(&many, &one_more, Zones::default());
        assert!(wrong.is_err_and(|error| error.field("name").is_some_and(|words| words.contains("at most 32"))));
    }

    #[test]
    fn lifetimes_have_a_unit() {
        assert_eq!(lifetime("30d"), Ok(Some(Duration::days(30))));
        assert_eq!(lifetime("1y"), Ok(Some(Duration::days(365))));
        assert_eq!(lifetime("12h"), Ok(Some(Duration::hours(12))));
        assert_eq!(lifetime("never"), Ok(None));
        for wrong in ["30", "d", "-1d", "0d", "99999d", "9999999999999999999w", "30 ü", "ü"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
