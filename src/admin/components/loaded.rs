//! Loading what a page shows, and links that keep its filters.

use crate::{error::AppError, ui};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

/// What `load` gives, as `show` shows it; an error takes its place, with its status.
pub fn loaded<T, Load>(load: impl Fn() -> Load + Send + Sync + 'static, show: impl Fn(T) -> AnyView + Copy + Send + Sync + 'static) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    ui::loaded(load, show, ("Go to the overview", "/admin"))
}

/// A path with the parameters that are given, escaped.
pub fn link<'a>(path: &str, parameters: impl IntoIterator<Item = (&'static str, Option<&'a str>)>) -> String {
    let mut query = ParamsMap::new();
    for (name, value) in parameters {
        if let Some(value) = value {
            query.insert(name, value.to_owned());
        }
    }
    format!("{path}{}", query.to_query_string())
}
