//! Demo data: an operator, a developer, the keys of a small shop and a year of plausible usage, so that a first look shows a product
//! at work. Loaded by `serve --demo`, in development only; loading it again changes nothing. The passwords of its people stand here for
//! everybody to read, so `serve` does not start outside development while one of them opens an account (R13).
//!
//! People, plans and keys are made by the operations that everybody uses. The past (when a key was made, what it was used for) is written
//! directly: no operation can write it. Its ids are of its time, too (`uuid_at`).

mod past;
mod plans;
mod samples;
mod usage;

use crate::{
    accounts::{
        Caller, Via,
        server::{DEVELOPER, NewAccount, OPERATOR, Visitor, caller_of_account, close_account, create_account, has_password},
    },
    error::AppError,
    keys::{
        model::{NewKey, NewRoute},
        server::{create_key, replace_routes},
    },
    platform::Ctx,
    values::{AccountId, Email},
};
use secrecy::SecretString;
use time::Duration;

/// Who can sign in, as `serve` prints it.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub email: &'static str,
    pub password: &'static str,
    pub role: &'static str,
    name: &'static str,
}

pub const OPERATOR_PERSON: Person = Person { email: "operator@demo.localhost", password: "lantern copper meadow", role: "operator", name: "Ilse Brandt" };
pub const DEVELOPER_PERSON: Person = Person { email: "developer@demo.localhost", password: "harbour violet kettle", role: "developer", name: "Mara Lindqvist" };

const PEOPLE: [Person; 2] = [OPERATOR_PERSON, DEVELOPER_PERSON];

/// Whose account the password that stands here still opens.
pub async fn with_known_passwords(ctx: &Ctx) -> Result<Vec<Person>, AppError> {
    let mut open = Vec::new();
    for person in PEOPLE {
        if has_password(ctx, &email_of(person)?, &SecretString::from(person.password)).await? {
            open.push(person);
        }
    }
    Ok(open)
}

/// Takes the accounts out of use whose passwords stand here; whoever changed theirs is left alone.
pub async fn close(ctx: &Ctx) -> Result<Vec<Person>, AppError> {
    let open = with_known_passwords(ctx).await?;
    for person in &open {
        close_account(ctx, &Caller::cli(), &Visitor::terminal(), &email_of(*person)?, "An account of the demo").await?;
    }
    Ok(open)
}

/// What is wrong with them outside development, and the ways out.
pub fn refusal(open: &[Person]) -> String {
    let people: Vec<&str> = open.iter().map(|person| person.email).collect();
    format!(
        "this data has demo accounts whose passwords everybody can read: {}. Close them with `tollgate admin close-demo`, use another data folder \
         or database, or set TOLLGATE_ENV=development.",
        people.join(", ")
    )
}

fn email_of(person: Person) -> Result<Email, AppError> {
    person.email.parse().map_err(AppError::internal)
}

/// One key and how it is used.
struct Story {
    name: &'static str,
    tags: &'static [&'static str],
    /// What it may; of nothing here and in `bundles` the usual.
    permissions: &'static [&'static str],
    bundles: &'static [&'static str],
    /// From where it calls.
    address: &'static str,
    /// Calls on a working day.
    calls: i32,
    /// Weekends in per cent of a working day.
    weekend: i32,
    /// Of a thousand calls, those held at the limit and those refused.
    limited: i32,
    refused: i32,
    /// First and last day of use, in days before today.
    from: i32,
    until: i32,
    state: &'static str,
    expires_in_days: Option<i64>,
    /// A limit of its own, an hour; none: it draws on the plan of its workspace.
    limit: Option<i64>,
}

const BOTH: &[&str] = &["orders:read", "orders:write"];

const STORIES: [Story; 8] = [
    Story {
        name: "checkout service",
        tags: &["production", "shop"],
        permissions: &[],
        bundles: &[plans::STOREFRONT],
        address: "203.0.113.18",
        calls: 24_000,
        weekend: 105,
        limited: 6,
        refused: 0,
        from: 365,
        until: 0,
        state: "active",
        expires_in_days: None,
        limit: Some(2_400),
    },
    Story {
        name: "Brightbox",
        tags: &["partner"],
        permissions: &[],
        bundles: &[plans::STOREFRONT],
        address: "198.51.100.23",
        calls: 9_000,
        weekend: 80,
        limited: 5,
        refused: 0,
        from: 210,
        until: 0,
        state: "active",
        expires_in_days: None,
        limit: Some(800),
    },
    Story {
        name: "warehouse sync",
        tags: &["production", "warehouse"],
        permissions: BOTH,
        bundles: &[],
        address: "192.0.2.10",
        calls: 12_000,
        weekend: 20,
        limited: 0,
        refused: 0,
        from: 340,
        until: 0,
        state: "active",
        expires_in_days: Some(101),
        limit: Some(2_400),
    },
    Story {
        name: "returns portal",
        tags: &["production", "shop"],
        permissions: BOTH,
        bundles: &[],
        address: "203.0.113.40",
        calls: 4_100,
        weekend: 90,
        limited: 0,
        refused: 0,
        from: 300,
        until: 0,
        state: "active",
        expires_in_days: None,
        limit: None,
    },
    Story {
        name: "nightly export",
        tags: &["production"],
        permissions: &["orders:read", "orders:write", plans::GRANTED],
        bundles: &[],
        address: "192.0.2.31",
        calls: 3_000,
        weekend: 100,
        limited: 0,
        refused: 0,
        from: 365,
        until: 0,
        state: "active",
        expires_in_days: Some(6),
        limit: None,
    },
    Story {
        name: "old storefront",
        tags: &["shop"],
        permissions: &[],
        bundles: &[],
        address: "192.0.2.44",
        calls: 5_200,
        weekend: 95,
        limited: 0,
        refused: 3,
        from: 365,
        until: 7,
        state: "disabled",
        expires_in_days: None,
        limit: Some(1_000),
    },
    Story {
        name: "load test",
        tags: &["staging"],
        permissions: BOTH,
        bundles: &[],
        address: "203.0.113.90",
        calls: 16_000,
        weekend: 0,
        limited: 70,
        refused: 0,
        from: 12,
        until: 9,
        state: "active",
        expires_in_days: None,
        limit: Some(1_000),
    },
    Story {
        name: "ERP bridge",
        tags: &["partner", "warehouse"],
        permissions: &[],
        bundles: &[],
        address: "198.51.100.7",
        calls: 1_300,
        weekend: 15,
        limited: 0,
        refused: 48,
        from: 330,
        until: 0,
        state: "active",
        expires_in_days: Some(406),
        limit: Some(500),
    },
];

/// Of the stories, by their place.
const CHECKOUT: usize = 0;
/// It is in the middle of a rotation.
const ROTATED: usize = 3;

/// The routes of the demo API: method, path, permission, cost (0: no quota), what it is for.
const ROUTES: [(&str, &str, &str, u32, &str); 7] = [
    ("GET", "/orders", "orders:read", 1, "The list of orders"),
    ("GET", "/orders/{id}", "orders:read", 1, "One order"),
    ("POST", "/orders", "orders:write", 5, "A new order, which the warehouse must handle"),
    ("PATCH", "/orders/{id}", "orders:write", 1, "Change an order"),
    ("GET", "/reports/{month}", plans::GRANTED, 1, "All orders of a month as a file"),
    ("GET", "/stock/{sku}", "orders:read", 1, "What is left of an article"),
    ("GET", "/health", "", 0, "For whoever watches the shop"),
];

fn routes() -> Vec<NewRoute> {
    let route = |(method, pattern, permission, cost, description): (&str, &str, &str, u32, &str)| NewRoute {
        method: method.to_owned(),
        pattern: pattern.to_owned(),
        permission: Some(permission.to_owned()),
        cost: (cost > 0).then_some(cost),
        is_free: cost == 0,
        description: description.to_owned(),
    };
    ROUTES.into_iter().map(route).collect()
}

/// Loads the demo data if it isn't there.
pub async fn load(ctx: &Ctx) -> Result<(), AppError> {
    let operator = person(ctx, OPERATOR_PERSON, &[DEVELOPER, OPERATOR]).await?;
    if let Some(operator) = caller_of(ctx, operator).await? {
        plans::describe_reports(ctx, &operator).await?;
        replace_routes(ctx, &operator, "demo", routes()).await?;
    }
    let Some(developer) = person(ctx, DEVELOPER_PERSON, &[DEVELOPER]).await? else { return Ok(()) };
    let caller = caller_of_account(ctx, developer, Via::Cli).await?.ok_or(AppError::NotFound)?;
    // As she would have done it on the pages: histories name her.
    let caller = Caller { via: Via::Session(ctx.new_id()), ..caller };
    plans::describe(ctx, caller.workspace).await?;
    let now = ctx.clock.now();
    let mut keys = Vec::with_capacity(STORIES.len());
    for story in &STORIES {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let new = NewKey {
            name: story.name.to_owned(),
            api: Some("demo".to_owned()),
            expires_at: story.expires_in_days.map(|d| now + Duration::days(d)),
            permissions: (!story.permissions.is_empty()).then(|| texts(story.permissions)),
            bundles: texts(story.bundles),
            tags: texts(story.tags),
            ..NewKey::default()
        };
        keys.push(create_key(ctx, &caller, new).await?.key.id.uuid());
    }
    let mut tx = ctx.db.begin().await?;
    past::write_people(&mut tx, developer.uuid(), operator.map(AccountId::uuid), now).await?;
    past::write_keys(&mut tx, &keys, now).await?;
    usage::write(&mut tx, &keys, now).await?;
    usage::write_latencies(&mut tx, &keys, now).await?;
    usage::write_quota(&mut tx, keys[CHECKOUT], now).await?;
    past::write_history(&mut tx, &keys, (developer.uuid(), operator.map(AccountId::uuid)), now).await?;
    past::write_permissions(&mut tx, &keys, now).await?;
    past::write_last_uses(&mut tx, &keys).await?;
    past::write_rotation(&mut tx, keys[ROTATED], now).await?;
    past::write_blocks(&mut tx, &keys, operator.map(AccountId::uuid), now).await?;
    samples::write_refused(&mut tx, &keys, now).await?;
    samples::write_passed(&mut tx, &keys, now).await?;
    Ok(tx.commit().await?)
}

async fn caller_of(ctx: &Ctx, account: Option<AccountId>) -> Result<Option<Caller>, AppError> {
    match account {
        Some(account) => caller_of_account(ctx, account, Via::Cli).await,
        None => Ok(None),
    }
}

/// Makes the account; none if it was there before.
async fn person(ctx: &Ctx, person: Person, roles: &[&str]) -> Result<Option<AccountId>, AppError> {
    let new = NewAccount {
        email: email_of(person)?,
        name: person.name,
        password: Some(SecretString::from(person.password)),
        roles,
        is_verified: true,
        by: "Demo data",
    };
    match create_account(ctx, &new).await {
        Ok(account) => Ok(Some(account)),
        Err(AppError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
