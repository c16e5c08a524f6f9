//! Where the lines of a file come from: pages of another feature's rows, each of which says where the next one begins.

use crate::{
    accounts::Caller,
    error::AppError,
    exports::model::Subject,
    keys::{
        model::KeyQuery,
        server::{self as keys, http::KeyBody},
    },
    platform::{Ctx, csv, http::file::Format},
    usage::{
        model::{RefusalQuery, UsageQuery},
        server::{self as usage, RefusalLine, Whose},
    },
    values::{Permission, permission_names as may},
};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Keys of a page.
const KEYS: usize = 5_000;

/// Filters by their names.
pub type Filters = BTreeMap<String, String>;

/// What is written, read from the filters.
#[derive(Debug, Clone)]
pub enum Source {
    Usage(UsageQuery),
    Refusals(Whose, RefusalQuery),
    Keys(KeyQuery),
}

/// A page of a file.
#[derive(Debug)]
pub struct Page {
    pub rows: u64,
    pub text: String,
    /// Where the next page begins; none: it was the last.
    pub next: Option<String>,
}

impl Source {
    /// A filter that the subject does not know is an error, not silence.
    pub fn read(subject: Subject, filters: &Filters) -> Result<Self, AppError> {
        let known = subject.filters();
        if let Some(name) = filters.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(AppError::invalid(&format!("filters.{name}"), format!("There is no such filter. Known are {}.", known.join(", "))));
        }
        let get = |name: &str| filters.get(name).cloned();
        Ok(match subject {
            Subject::Usage => Self::Usage(UsageQuery::read(get)),
            Subject::Refusals => Self::Refusals(Whose::Own, RefusalQuery::read(get)),
            Subject::AllRefusals => Self::Refusals(Whose::All, RefusalQuery::read(get)),
            Subject::Keys => Self::Keys(KeyQuery { everywhere: everywhere(get(KeyQuery::EVERYWHERE).as_deref())?, ..KeyQuery::read(get) }),
        })
    }

    /// What it holds, in words; wrong filters are named.
    pub async fn say(&self, ctx: &Ctx, caller: &Caller, now: OffsetDateTime) -> Result<String, AppError> {
        match self {
            Self::Usage(query) => usage::say_usage(ctx, caller, query, now).await,
            Self::Refusals(whose, query) => usage::say_refusals(ctx, caller, *whose, query, now).await,
            Self::Keys(query) => {
                keys::check_query(caller, query)?;
                let filters: Vec<String> = query.filters().iter().filter_map(|(name, value)| Some(format!("{name} {}", (*value)?))).collect();
                let whose = if query.everywhere { " of every workspace" } else { "" };
                Ok(if filters.is_empty() { format!("All keys{whose}") } else { format!("Keys{whose}, {}", filters.join(", ")) })
            }
        }
    }

    /// About how many lines it will have.
    pub async fn count(&self, ctx: &Ctx, caller: &Caller, now: OffsetDateTime) -> Result<u64, AppError> {
        match self {
            Self::Usage(query) => usage::count_usage_lines(ctx, caller, query, now).await,
            Self::Refusals(whose, query) => usage::count_refusals(ctx, caller, *whose, query, now).await,
            Self::Keys(query) => keys::count_found(ctx, caller, query).await,
        }
    }

    /// The page that begins at `from`; `written` lines stand before it.
    pub async fn page(&self, ctx: &Ctx, caller: &Caller, now: OffsetDateTime, format: Format, from: Option<&str>, written: u64) -> Result<Page, AppError> {
        match self {
            Self::Usage(query) => {
                let (lines, next) = usage::page_of_usage(ctx, caller, query, now, from).await?;
                write(&lines, next, format, written)
            }
            Self::Refusals(whose, query) => {
                let (samples, next) = usage::page_of_refusals(ctx, caller, *whose, query, now, from).await?;
                let lines: Vec<RefusalLine> = samples.into_iter().map(Into::into).collect();
                write(&lines, next, format, written)
            }
            Self::Keys(query) => {
                let query = KeyQuery { older: from.map(ToOwned::to_owned), ..query.clone() };
                let (found, next) = keys::page_of_keys(ctx, caller, &query, KEYS).await?;
                let lines: Vec<KeyBody> = found.into_iter().map(|key| KeyBody::of(key, now)).collect();
                write(&lines, next, format, written)
            }
        }
    }
}

/// A word that says neither is an error, too: read as no, the file would be of the own workspace without a word.
fn everywhere(word: Option<&str>) -> Result<bool, AppError> {
    match word {
        Some("true") => Ok(true),
        None | Some("false" | "") => Ok(false),
        Some(_) => Err(AppError::invalid("filters.everywhere", "Write true for the keys of every workspace, or leave it out.")),
    }
}

/// What it takes to see the lines of this subject.
pub const fn permission(subject: Subject) -> Permission {
    match subject {
        Subject::Usage | Subject::Refusals => may::USAGE_READ,
        Subject::AllRefusals => may::ADMIN_READ,
        Subject::Keys => may::KEYS_READ,
    }
}

/// A head before the first line; as JSON an object with all lines in `data`, one a line.
fn write<R: csv::Row>(rows: &[R], next: Option<String>, format: Format, written: u64) -> Result<Page, AppError> {
    let mut text = String::with_capacity(200 * (rows.len() + 1));
    match format {
        Format::Csv => {
            if written == 0 {
                csv::head::<R>(&mut text);
            }
            csv::lines(rows, &mut text);
        }
        Format::Json => {
            if written == 0 {
                text.push_str("{\"data\":[");
            }
            for (i, row) in rows.iter().enumerate() {
                text.push_str(if written == 0 && i == 0 { "\n" } else { ",\n" });
                text.push_str(&serde_json::to_string(row).map_err(AppError::internal)?);
            }
            if next.is_none() {
                text.push_str("\n]}\n");
            }
        }
    }
    Ok(Page { rows: rows.len() as u64, text, next })
}
