//! `tollgate key …`: create (one or many), list, import, export, limit, disable, enable, revoke and rotate keys beside running servers. A change
//! answers when each of them has applied it, or names who has not.

use super::{
    Exit, Invocation, Spreading,
    bulk::Bulk,
    key_edit::Edit,
    key_facts,
    key_filter::Filter,
    key_secrets,
    key_trial::Try,
    missing::{OrNo, Thing},
    plan::Wanted,
    with_ctx,
};
use crate::{
    accounts::{Caller, Via, server as accounts},
    error::{AppError, FieldError},
    keys::{
        model::{BatchLine, Environment, ImportOutcome, Key, KeyEdit, KeyLimit, KeyQuery, KeyState, LimitUnit, NewKey, Over, Preset, Window},
        server::{self as keys, Batch, BatchKey, Changed, ImportWish, NewCredits, Terms, http::KeyBody},
    },
    plans::server as plans,
    platform::{Ctx, LocalTime, csv},
    ui::number::count,
    values::{Email, KeyId, permission_names as may},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key for an account; its secret is printed once
    Create(Box<New>),
    /// List keys, newest first: all, or those that filters leave
    List(Box<Filter>),
    /// Show one key: what it may and from where, its limits, when it was used
    Show { id: String },
    /// What was done to it, newest first: when, what, by whom and why
    History {
        id: String,
        /// At most so many changes, up to 1000
        #[arg(long, value_name = "CHANGES", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
        most: u16,
    },
    /// Change its name, permissions, bundles, addresses, origins, routes, tags, end, external id or metadata; what is not said stays
    Edit(Box<Edit>),
    /// Would this call pass? The gate's own checks, step by step; nothing is charged or counted. Ends with 0 if it would, with 4 if not
    Test(Try),
    /// The limits of its own
    Limits { id: String },
    /// Set one of its limits: how many units, one for a call unless its route costs more, in a window. The others stay
    SetLimit {
        id: String,
        /// Which limit: it may have up to 32
        #[arg(long, default_value = KeyLimit::DEFAULT)]
        name: String,
        #[arg(long, value_name = "UNITS", required_unless_present_any = ["default", "remove"])]
        limit: Option<u64>,
        /// Seconds, or second, minute, hour, day or month; of a time zone: day@Europe/Stockholm, month@Europe/Stockholm; rolling: rolling:hour;
        /// credits that come back, or are prepaid: credits:100/hour, credits; calls at the same time, each for 30 seconds at most: concurrent:30;
        /// without it what this limit has, an hour for a new one
        #[arg(long)]
        window: Option<Window>,
        /// What a window counts: units, of which a call takes what it costs, or calls, of which it takes one, whatever it costs; without it what this
        /// limit has, units for a new one
        #[arg(long, value_name = "calls|units")]
        unit: Option<LimitUnit>,
        /// What becomes of calls beyond it: refuse, throttle:5 (five pass in each second) or mark; until when: mark@2027-01-31. Without it what
        /// this limit has, refuse for a new one
        #[arg(long)]
        over: Option<Over>,
        /// Take this limit away
        #[arg(long, conflicts_with = "limit")]
        remove: bool,
        /// Take all of them away: what its plan, its workspace, its API or the configuration gives holds again
        #[arg(long, conflicts_with_all = ["limit", "remove"])]
        default: bool,
    },
    /// Add credits to a limit of credits that holds it, also beyond what that holds
    AddCredits {
        id: String,
        #[arg(long, value_name = "CREDITS")]
        units: u64,
        /// The name of the limit
        #[arg(long, value_name = "NAME", default_value = KeyLimit::DEFAULT)]
        name: String,
        /// Stands in the key's history
        #[arg(long, value_name = "WORDS", default_value = "")]
        reason: String,
        /// Names this request: run again, nothing is added
        #[arg(long, value_name = "TEXT")]
        once: Option<String>,
    },
    /// Answer its calls with DISABLED
    Disable(Why),
    /// Let its calls pass again
    Enable(Why),
    /// End it for good; on a terminal it asks first, unless you say --yes
    Revoke(Why),
    /// Make a key for each line of a CSV file; prints name,key_id,secret once, as CSV (JSON with --json). With --dry-run only say what is
    /// wrong with each line; one that is wrong keeps all from being made
    CreateMany {
        /// A first line such as name,permissions,bundles,expires,tags,addresses,limits,account; - for standard input
        file: PathBuf,
        /// The email of their owner, where a line names no other
        #[arg(long, value_name = "EMAIL")]
        account: String,
        /// The slug of the API that they call
        #[arg(long, value_name = "SLUG")]
        api: String,
    },
    /// Import keys by the hashes of their secrets, from CSV or JSON; with --dry-run only say what would become of each line
    Import {
        file: PathBuf,
        /// The email of the owner of keys that name none in a column account
        #[arg(long, value_name = "EMAIL")]
        account: Option<String>,
        /// The slug of the API that they call
        #[arg(long, value_name = "SLUG")]
        api: String,
        /// Import keys that have permissions which the API does not have, without those
        #[arg(long)]
        without_unknown_permissions: bool,
    },
    /// Print what is known of all keys as CSV (JSON with --json); never secrets nor hashes
    Export {
        /// Only those of this account
        #[arg(long, value_name = "EMAIL")]
        account: Option<String>,
    },
    /// Disable, enable, extend, tag, untag, re-plan or revoke many keys at once; with --dry-run only say which
    Bulk(Box<Bulk>),
    /// Give it a new secret, printed once; the old one is accepted for a while
    Rotate(key_secrets::Rotate),
    /// The secrets that are accepted: how they begin, until when, when they were last used
    Secrets { id: String },
    /// Move the end of an old secret
    ExtendSecret(key_secrets::ExtendSecret),
    /// End an old secret now; the newest can't be dropped
    DropSecret(key_secrets::DropSecret),
}

#[derive(Args)]
pub(super) struct New {
    /// The email of its owner
    #[arg(long, value_name = "EMAIL")]
    account: String,
    /// The slug of the API it calls
    #[arg(long, value_name = "SLUG")]
    api: String,
    #[arg(long)]
    name: String,
    /// What it may there, more than once
    #[arg(long, value_name = "PERMISSION", conflicts_with = "preset")]
    permission: Vec<String>,
    /// A bundle of the API, beside the permissions or the preset, more than once
    #[arg(long, value_name = "BUNDLE")]
    bundle: Vec<String>,
    /// In place of permissions; without either it is basic, or nothing beside the bundles that are named
    #[arg(long, value_parser = ["basic", "read-only", "admin"])]
    preset: Option<String>,
    /// A network (203.0.113.0/24) or address from which it may be used; without, from everywhere. Repeat it for more
    #[arg(long, value_name = "CIDR")]
    address: Vec<String>,
    /// A web page's origin (https://app.example.com, https://*.example.com) from which it may be used; without, from every page. Repeat it for more
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
    /// A route that it may call, method and path pattern ('GET /orders/{id}', '* /reports/*'); without, all that its permissions allow. Repeat it for more
    #[arg(long, value_name = "ROUTE")]
    route: Vec<String>,
    /// A word to find it by. Repeat it for more
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Your own id of who uses it: verifications answer it
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A JSON object that verifications answer: '{"team": "checkout"}'
    #[arg(long, value_name = "JSON", default_value = "")]
    meta: String,
    /// How long it lasts: 12h, 30d, 8w, 1y or never
    #[arg(long, value_name = "TIME", default_value = "never")]
    expires: String,
    /// A key for tests
    #[arg(long)]
    test: bool,
    /// Limits of its own from its first call on: "100/hour", or "100/hour 2000/day"
    #[arg(long, value_name = "LIMITS", default_value = "")]
    limits: String,
    /// A plan of its own
    #[arg(long, value_name = "SLUG")]
    plan: Option<String>,
}

#[derive(Args)]
pub(super) struct Why {
    id: String,
    /// Stands in the key's history
    #[arg(long, value_name = "WORDS", default_value = "")]
    reason: String,
}

impl Why {
    /// Nothing was said.
    pub(super) fn of(id: String) -> Self {
        Self { id, reason: String::new() }
    }
}

impl KeyCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "key", async |ctx| match self {
            Self::Create(new) => create(ctx, invocation, *new).await,
            Self::List(filter) => list(ctx, invocation, *filter).await,
            Self::Show { id } => key_facts::show(ctx, invocation, &id).await,
            Self::History { id, most } => key_facts::history(ctx, invocation, &id, most).await,
            Self::Edit(edit) => edit.run(ctx, invocation).await,
            Self::Test(trial) => trial.run(ctx, invocation).await,
            Self::Limits { id } => {
                let key = known(ctx, &id).await?;
                invocation.answer(&key.limits, &lines(&key.limits, "None of its own: the next level that sets any holds it."));
                Ok(Exit::Done)
            }
            Self::SetLimit { id, default: true, .. } => set_limits(ctx, invocation, id, Vec::new()).await,
            Self::SetLimit { id, name, limit, window, unit, over, .. } => set_limit(ctx, invocation, id, Wanted { name, limit, window, unit, over }).await,
            Self::AddCredits { id, units, name, reason, once } => add_credits(ctx, invocation, &id, NewCredits { limit: name, units, reason, once }).await,
            Self::Disable(why) => {
                change(ctx, invocation, &why, ("Disabled", "Refused"), async |id| keys::disable_key(ctx, &Caller::cli(), id, &why.reason).await).await
            }
            Self::Enable(why) => {
                change(ctx, invocation, &why, ("Enabled", "In force"), async |id| keys::enable_key(ctx, &Caller::cli(), id, &why.reason).await).await
            }
            Self::Revoke(why) => {
                let key = known(ctx, &why.id).await?;
                if key.state != KeyState::Revoked && !invocation.is_agreed(&format!("Revoke {} {}? It never passes again.", key.id, key.name)) {
                    return Err(AppError::conflict("Nothing was done."));
                }
                change(ctx, invocation, &why, (REVOKED, "Refused"), async |id| keys::revoke_key(ctx, &Caller::cli(), id, &why.reason).await).await
            }
            Self::CreateMany { file, account, api } => create_many(ctx, invocation, &file, &account, &api).await,
            Self::Import { file, account, api, without_unknown_permissions } => {
                let wish = ImportWish { api: &api, account: None, without_unknown_permissions, dry_run: invocation.dry_run };
                import(ctx, invocation, &file, account.as_deref(), wish).await
            }
            Self::Export { account } => export(ctx, invocation, account.as_deref()).await,
            Self::Bulk(bulk) => bulk.run(ctx, invocation).await,
            Self::Rotate(rotate) => rotate.run(ctx, invocation).await,
            Self::Secrets { id } => key_secrets::list(ctx, invocation, &id).await,
            Self::ExtendSecret(extend) => extend.run(ctx, invocation).await,
            Self::DropSecret(drop) => drop.run(ctx, invocation).await,
        })
        .await
    }
}

async fn create(ctx: &Ctx, invocation: &Invocation, new: New) -> Result<Exit, AppError> {
    let mut caller = owner(ctx, &new.account).await?;
    known_api(ctx, &new.api).await?;
    if let Some(slug) = &new.plan {
        plans::find_plan(ctx, &Caller::cli(), slug).await.or_no(Thing::Plan, slug)?;
    }
    let limits = keys::written_limits(&new.limits).map_err(|words| AppError::invalid("limits", words))?;
    let terms = Terms { limits, plan: new.plan, account: None };
    if terms != Terms::default() {
        // Whoever may run this may set both; what the key may is still bound by the account.
        caller.permissions.push(may::KEYS_MANAGE);
    }
    let lifetime = keys::lifetime(&new.expires).map_err(|words| AppError::invalid("expires", words))?;
    let environment = if new.test { Environment::Test } else { Environment::Live };
    let wanted = NewKey {
        name: new.name,
        api: Some(new.api),
        preset: new.preset.as_deref().and_then(Preset::parse),
        permissions: (!new.permission.is_empty()).then_some(new.permission),
        bundles: new.bundle,
        addresses: new.address,
        origins: new.origin,
        routes: new.route,
        tags: new.tag,
        external_id: new.external_id,
        meta: keys::read_meta(&new.meta).map_err(|words| AppError::invalid("meta", words))?,
        expires_at: lifetime.map(|l| ctx.clock.now() + l),
        environment,
        once: None,
    };
    if invocation.dry_run {
        let api = wanted.api.clone().unwrap_or_default();
        let line = BatchKey { number: 1, new: wanted.clone(), limits: terms.limits, account: None, errors: Vec::new() };
        let fields: Vec<FieldError> = keys::check_batch(ctx, &caller, &api, vec![line]).await?.into_iter().flat_map(|line| line.errors).collect();
        if !fields.is_empty() {
            return Err(AppError::Invalid { fields });
        }
        invocation.answer(&json!({ "would_create": wanted.name }), &format!("Would create {} for {}.", wanted.name, caller.email));
        return Ok(Exit::Done);
    }
    let created = keys::create_key_on(ctx, &caller, wanted, terms).await?;
    let secret = created.secret.unwrap_or_default();
    invocation.answer(
        &json!({ "id": created.key.id, "secret": secret }),
        &format!("{}  {}\nIts secret, shown this once: {secret}", created.key.id, created.key.name),
    );
    Ok(Exit::Done)
}

/// An API that keys are made for.
async fn known_api(ctx: &Ctx, slug: &str) -> Result<(), AppError> {
    keys::api_by_slug(ctx, &Caller::cli(), slug).await.or_no(Thing::Api, slug).map(drop)
}

/// The account as the caller: the key gets no more than its owner may.
async fn owner(ctx: &Ctx, email: &str) -> Result<Caller, AppError> {
    let email: Email = email.parse().map_err(|words: &str| AppError::invalid("account", words))?;
    let account = accounts::find_account_by_email(ctx, &Caller::cli(), &email).await.or_no(Thing::Account, &email)?;
    let caller = accounts::caller_of_account(ctx, account.id, Via::Cli).await?;
    caller.ok_or_else(|| AppError::conflict("This account can't sign in: it is disabled, or its address is not confirmed yet."))
}

async fn list(ctx: &Ctx, invocation: &Invocation, filter: Filter) -> Result<Exit, AppError> {
    let query = filter.query(ctx).await?;
    let (found, next) = keys::page_of_keys(ctx, &Caller::cli(), &query, 1_000).await?;
    let lines: Vec<String> = found.iter().map(|k| format!("{}  {:8}  {:12}  {}", k.id, k.state.as_str(), k.api, k.name)).collect();
    let more = if next.is_some() { "\nThere are more: narrow it by --account, --api, --search and the like." } else { "" };
    let now = ctx.clock.now();
    let found: Vec<KeyBody> = found.into_iter().map(|key| KeyBody::of(key, now)).collect();
    invocation.answer(&found, &format!("{}{more}", if lines.is_empty() { "No keys.".to_owned() } else { lines.join("\n") }));
    Ok(Exit::Done)
}

async fn create_many(ctx: &Ctx, invocation: &Invocation, file: &Path, account: &str, api: &str) -> Result<Exit, AppError> {
    let mut caller = owner(ctx, account).await?;
    known_api(ctx, api).await?;
    // Whoever may run this may set limits and name other owners; what the keys may is still bound by the account.
    caller.permissions.push(may::KEYS_MANAGE);
    let lines = keys::read_lines(&text_of(file)?, &LocalTime::new(&caller.time_zone, ctx.clock.now()))?;
    let report = if invocation.dry_run {
        keys::check_batch(ctx, &caller, api, lines).await?
    } else {
        match keys::create_batch(ctx, &caller, api, lines).await? {
            Batch::Made(made) => {
                let all: Vec<_> = made.iter().map(|key| json!({ "name": key.name, "id": key.id, "secret": key.secret })).collect();
                invocation.answer(&all, keys::file_of_secrets(&made).trim_end());
                return Ok(Exit::Done);
            }
            Batch::Wrong(report) => report,
            Batch::Given => Vec::new(),
        }
    };
    let said = |line: &BatchLine| {
        let errors: Vec<String> = line.errors.iter().map(|e| format!("{} {}", e.field, e.message).trim().to_owned()).collect();
        format!("{:6}  {:8}  {}  {}", line.line, if errors.is_empty() { "a key" } else { "wrong" }, line.name, errors.join(" ")).trim_end().to_owned()
    };
    let wrong = report.iter().filter(|line| !line.errors.is_empty()).count() as u64;
    let words: Vec<String> = report.iter().map(said).collect();
    invocation.answer(&report, &format!("{}\nNothing is made. {} wrong.", words.join("\n"), count(wrong, "line is", "lines are")));
    Ok(if wrong > 0 { Exit::Failed } else { Exit::Done })
}

/// The text of a file, or of standard input for `-`.
pub(super) fn text_of(file: &Path) -> Result<String, AppError> {
    let text = if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    text.map_err(|error| AppError::invalid("file", format!("{} can't be read: {error}", file.display())))
}

async fn import(ctx: &Ctx, invocation: &Invocation, file: &Path, account: Option<&str>, wish: ImportWish<'_>) -> Result<Exit, AppError> {
    // Nobody has a workspace on the command line: without an account each line names its own.
    let caller = match account {
        Some(email) => owner(ctx, email).await?,
        None => Caller::cli(),
    };
    known_api(ctx, wish.api).await?;
    let (lines, spread) = keys::import_and_wait(ctx, &caller, wish, &text_of(file)?).await?;
    let words: Vec<String> = lines.iter().map(|l| format!("{:6}  {:8}  {}  {}", l.line, l.outcome.as_str(), l.name, l.detail)).collect();
    let created = lines.iter().filter(|l| l.outcome == ImportOutcome::Created).count();
    let verb = if invocation.dry_run { "would be imported" } else { "imported" };
    let spread = spread.map(|spread| format!(" {}", spread.words("In force"))).unwrap_or_default();
    invocation.answer(&lines, &format!("{}\n{created} of {} {verb}.{spread}", words.join("\n"), lines.len()));
    Ok(if lines.iter().any(|l| l.outcome == ImportOutcome::Wrong) { Exit::Failed } else { Exit::Done })
}

async fn export(ctx: &Ctx, invocation: &Invocation, account: Option<&str>) -> Result<Exit, AppError> {
    let workspace = match account {
        Some(email) => Some(owner(ctx, email).await?.workspace),
        None => None,
    };
    let query = KeyQuery { everywhere: workspace.is_none(), workspace, ..KeyQuery::default() };
    let found = keys::every_key(ctx, &Caller::cli(), query, 1_000_000).await?;
    let found = found.ok_or_else(|| AppError::conflict("There are more than a million keys. Export those of one account."))?;
    let now = ctx.clock.now();
    let found: Vec<KeyBody> = found.into_iter().map(|key| KeyBody::of(key, now)).collect();
    invocation.answer(&found, csv::table(&found).trim_end());
    Ok(Exit::Done)
}

/// A line for each limit: its name, and what it is.
pub(super) fn lines(limits: &[KeyLimit], none: &str) -> String {
    let lines: Vec<String> = limits.iter().map(|limit| format!("{:16}  {}", limit.name, limit.words())).collect();
    if lines.is_empty() { none.to_owned() } else { lines.join("\n") }
}

async fn set_limits(ctx: &Ctx, invocation: &Invocation, id: String, limits: Vec<KeyLimit>) -> Result<Exit, AppError> {
    limit_key(ctx, invocation, id, "the limits of the next level", KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await
}

async fn set_limit(ctx: &Ctx, invocation: &Invocation, id: String, wanted: Wanted) -> Result<Exit, AppError> {
    let key = known(ctx, &id).await?;
    let change = wanted.change(&key.limits, &key.name, Window::HOUR)?;
    let words = match &change.now {
        Some(limit) => format!("{} ({})", limit.words(), limit.name),
        None => format!("no limit {}", change.was.as_deref().unwrap_or_default()),
    };
    limit_key(ctx, invocation, id, &words, KeyEdit { limit: Some(change), ..KeyEdit::default() }).await
}

async fn limit_key(ctx: &Ctx, invocation: &Invocation, id: String, words: &str, edit: KeyEdit) -> Result<Exit, AppError> {
    let why = Why::of(id);
    change(ctx, invocation, &why, (&format!("From now on {words} for"), "In force"), async |id| keys::edit_key(ctx, &Caller::cli(), id, edit).await).await
}

async fn add_credits(ctx: &Ctx, invocation: &Invocation, id: &str, new: NewCredits) -> Result<Exit, AppError> {
    let key = known(ctx, id).await?;
    if invocation.dry_run {
        must_live(&key)?;
        invocation.answer(
            &json!({ "would_add": new.units, "limit": new.limit }),
            &format!("Would add {} to {} {}.", count(new.units, "credit", "credits"), key.id, key.name),
        );
        return Ok(Exit::Done);
    }
    let done = keys::add_credits(ctx, &Caller::cli(), key.id, new).await?;
    invocation.answer(&done, &format!("{} {}: {}", key.id, key.name, done.words()));
    Ok(Exit::Done)
}

/// What was done to a key that is revoked.
const REVOKED: &str = "Revoked";

/// `done` says what was done, and what is so since on the nodes.
pub(super) async fn change(
    ctx: &Ctx,
    invocation: &Invocation,
    why: &Why,
    done: (&str, &str),
    act: impl AsyncFnOnce(KeyId) -> Result<Changed, AppError>,
) -> Result<Exit, AppError> {
    let key = known(ctx, &why.id).await?;
    if invocation.dry_run {
        if done.0 != REVOKED {
            must_live(&key)?;
        }
        let words = format!("Would change {} {}.", key.id, key.name);
        invocation.answer(&KeyBody::of(key, ctx.clock.now()), &words);
        return Ok(Exit::Done);
    }
    let Changed { key, spread, .. } = act(key.id).await?;
    let words = format!("{} {} {}. {}", done.0, key.id, key.name, spread.words(done.1));
    // In the words of REST.
    invocation.answer(&Spreading { what: &KeyBody::of(key, ctx.clock.now()), spread: &spread }, &words);
    Ok(Exit::Done)
}

/// What is final stays as it is: a dry run says it, too.
pub(super) fn must_live(key: &Key) -> Result<(), AppError> {
    match key.state {
        KeyState::Revoked => Err(AppError::conflict("This key was revoked, and that is final. Create a new key.")),
        KeyState::Active | KeyState::Disabled => Ok(()),
    }
}

pub(super) async fn known(ctx: &Ctx, id: &str) -> Result<Key, AppError> {
    let id: KeyId = id.parse().map_err(|error: crate::values::IdError| AppError::invalid("id", error.to_string()))?;
    keys::find_key(ctx, &Caller::cli(), id).await.or_no(Thing::Key, id)
}
