//! Tabs go to another page; segments show the same page otherwise. Both are links, so each has a URL.

use leptos::prelude::*;

/// One tab or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    pub label: String,
    pub href: String,
    pub current: bool,
    /// How many things are behind a tab; segments show none.
    pub count: Option<u64>,
}

impl Tab {
    pub fn new(label: impl Into<String>, href: impl Into<String>, current: bool) -> Self {
        Self { label: label.into(), href: href.into(), current, count: None }
    }
}

#[component]
pub fn Tabs(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    let tabs = tabs
        .into_iter()
        .map(|tab| {
            let count = tab.count.map(|n| view! { " "<span class="faint">{super::number::thousands(n)}</span> });
            view! { <a href=tab.href aria-current=tab.current.then_some("page")>{tab.label}{count}</a> }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=label>{tabs}</nav> }
}

#[component]
pub fn Segments(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    let tabs = tabs.into_iter().map(|tab| view! { <a href=tab.href aria-current=tab.current.then_some("true")>{tab.label}</a> }).collect_view();
    view! { <nav class="segmented" aria-label=label>{tabs}</nav> }
}
