//! Routes of an API: what a call of a method and path needs, and what it costs.

use super::Unmatched;
use crate::values::{Permission, Version};
use serde::{Deserialize, Serialize};

/// What the calls of one route need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiRoute {
    /// One of [`ApiRoute::METHODS`].
    pub method: String,
    /// `/orders/{id}`, `/files/{path...}`.
    pub pattern: String,
    pub permission: Option<Permission>,
    /// Cost units of one call, at least 1.
    pub cost: u32,
    /// False: verified and metered, but charged to no limit.
    pub is_counted: bool,
    pub description: String,
}

impl ApiRoute {
    /// Any method.
    pub const ANY: &'static str = "*";
    /// The methods that a route may name, and `*` for any.
    pub const METHODS: [&'static str; 8] = [Self::ANY, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    /// The most routes of an API.
    pub const MAX_COUNT: usize = 500;
    /// The most cost units of a call.
    pub const MAX_COST: u32 = 1_000_000;

    /// Of what its form shows.
    pub fn version(&self) -> Version {
        Version::of(self)
    }

    /// "GET /orders/{id}": how charts name it too.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }
}

/// A route as somebody typed it; the operation checks it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewRoute {
    /// Empty: any.
    pub method: String,
    pub pattern: String,
    /// Empty or none: none is needed.
    pub permission: Option<String>,
    /// None: 1.
    pub cost: Option<u32>,
    /// True: charged to no limit.
    pub is_free: bool,
    pub description: String,
}

impl From<ApiRoute> for NewRoute {
    fn from(route: ApiRoute) -> Self {
        Self {
            method: route.method,
            pattern: route.pattern,
            permission: route.permission.map(|p| p.to_string()),
            cost: Some(route.cost),
            is_free: !route.is_counted,
            description: route.description,
        }
    }
}

impl Unmatched {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Refuse].into_iter().find(|u| u.as_str() == text)
    }
}
