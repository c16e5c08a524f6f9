//! The JSON of the REST routes of groups. Unknown fields are refused.

use crate::{
    keys::{
        model::Spread,
        server::http::{KeyLimitBody, SpreadBody},
    },
    plans::{
        model::{Group, GroupEdit, Member, NewGroup},
        server::http::bodies::{limits, named},
    },
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A group that an operator wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroupBody {
    /// Its name for machines; it stays.
    #[schema(example = "partners")]
    slug: String,
    /// 1 to 80 characters.
    #[schema(example = "Partners")]
    name: String,
    /// At most 400 characters.
    #[serde(default)]
    description: String,
    /// The slug of a plan.
    #[serde(default)]
    plan: Option<String>,
    /// At most 32. They stand before those of the plan.
    #[serde(default)]
    limits: Vec<KeyLimitBody>,
    /// Permissions that need a grant, for keys of each of its workspaces, beside those of its plan: `orders/reports:export` each. At most 200.
    #[serde(default)]
    grants: Vec<String>,
}

impl NewGroupBody {
    pub fn group(self) -> NewGroup {
        NewGroup { slug: self.slug, name: self.name, description: self.description, plan: self.plan, limits: limits(self.limits), grants: self.grants }
    }
}

/// Changes of a group; what is left out stays. All or nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditGroupBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    /// The slug of a plan; `null`: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    plan: Option<Option<String>>,
    #[serde(default)]
    limits: Option<Vec<KeyLimitBody>>,
    /// All of them. What is left out passes no more, on any node, when this is answered.
    #[serde(default)]
    grants: Option<Vec<String>>,
}

/// A field that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl EditGroupBody {
    pub fn edit(self) -> GroupEdit {
        let Self { name, description, plan, limits: wanted, grants } = self;
        GroupEdit { name, description, plan, limits: wanted.map(limits), limit: None, grants, seen: None }
    }
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupBody {
    pub id: String,
    #[schema(example = "partners")]
    pub slug: String,
    pub name: String,
    pub description: String,
    /// The slug of its plan.
    pub plan: Option<String>,
    /// Its own; they stand before those of the plan.
    pub limits: Vec<KeyLimitBody>,
    /// Its own, beside those of the plan: `orders/reports:export` each.
    pub grants: Vec<String>,
    /// How many workspaces are in it.
    pub members: u64,
    /// Of a change: on which nodes it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadBody>,
}

impl GroupBody {
    pub fn changed(group: Group, spread: Spread) -> Self {
        Self { spread: Some(spread.into()), ..group.into() }
    }
}

impl From<Group> for GroupBody {
    fn from(group: Group) -> Self {
        Self {
            id: group.id.to_string(),
            slug: group.slug.to_string(),
            name: group.name,
            description: group.description,
            plan: group.plan.map(|p| p.slug.to_string()),
            grants: named(&group.grants),
            limits: group.limits.into_iter().map(Into::into).collect(),
            members: group.members,
            spread: None,
        }
    }
}

/// Every group, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupListBody {
    pub data: Vec<GroupBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// Who comes into a group: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMemberBody {
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// The email or id of the account whose personal workspace it is.
    #[serde(default)]
    #[schema(example = "mara@example.com")]
    pub account: Option<String>,
}

/// A workspace in a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberBody {
    pub workspace_id: String,
    pub name: String,
    /// Whose personal workspace it is.
    pub account_id: Option<String>,
}

impl From<Member> for MemberBody {
    fn from(member: Member) -> Self {
        Self { workspace_id: member.workspace.to_string(), name: member.name, account_id: member.account.map(|a| a.to_string()) }
    }
}

/// A page of members.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberListBody {
    pub data: Vec<MemberBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}
