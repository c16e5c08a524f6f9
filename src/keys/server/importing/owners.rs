//! Whose the keys of a list become: of the account that a line names by its email, or else of the one that the whole list is for. Only
//! operators name accounts.

use crate::{
    accounts::{Caller, Via},
    error::AppError,
    keys::server::store::batches,
    platform::Ctx,
    values::{Email, WorkspaceId, permission_names as may},
};
use std::collections::{HashMap, HashSet};

pub struct Owners {
    may_name: bool,
    /// None: every line names its own.
    default: Option<WorkspaceId>,
    /// Personal workspaces by the keys of addresses.
    named: HashMap<String, WorkspaceId>,
}

impl Owners {
    /// Asks once for all. `of_list` is the email that the list is for; without, it is for the caller.
    pub async fn read(ctx: &Ctx, caller: &Caller, of_list: Option<&str>, of_lines: &HashSet<String>) -> Result<Self, AppError> {
        let may_name = caller.may(&may::KEYS_MANAGE) || caller.via == Via::Cli;
        let own = (!caller.workspace.uuid().is_nil()).then_some(caller.workspace);
        let mut owners = Self { may_name, default: own, named: HashMap::new() };
        if may_name {
            let emails = of_lines.iter().map(String::as_str).chain(of_list);
            let keys: Vec<String> = emails.filter_map(|email| Some(email.parse::<Email>().ok()?.key())).collect();
            if !keys.is_empty() {
                owners.named = batches::list_workspaces(&ctx.db, &keys).await?.into_iter().collect();
            }
        }
        if let Some(email) = of_list {
            owners.default = Some(owners.of(Some(email)).map_err(|words| AppError::invalid("account", words))?);
        }
        Ok(owners)
    }

    /// The workspace of a line.
    pub fn of(&self, account: Option<&str>) -> Result<WorkspaceId, &'static str> {
        let Some(email) = account else { return self.default.ok_or("Name the owner: write an email as account, or give one for the whole list.") };
        if !self.may_name {
            return Err("Only operators import keys for others. Leave account out.");
        }
        let email: Email = email.parse()?;
        self.named.get(&email.key()).copied().ok_or("There is no account with this address that can sign in.")
    }

    /// Those that keys may get into.
    pub fn workspaces(&self) -> Vec<WorkspaceId> {
        self.named.values().copied().chain(self.default).collect::<HashSet<_>>().into_iter().collect()
    }
}
