//! Allowances when those who give them change.

use super::*;
use crate::keys::{
    model::{LimitUnit, Over, Window},
    server::gate::limit::Policy,
};

const API: Uuid = Uuid::from_u128(1);
const PLAN: Uuid = Uuid::from_u128(2);
const GROUP: Uuid = Uuid::from_u128(3);
const WORKSPACE: Uuid = Uuid::from_u128(4);

fn limits(name: &str, max: u64) -> Limits {
    Arc::new([Arc::new(Policy { name: name.into(), max, window: Window::HOUR, unit: LimitUnit::Units, over: Over::REFUSE })])
}

fn levels() -> Levels {
    Levels::new(limits("default", 100))
}

/// What a plan gives, or by another slug an API or a workspace.
fn gives(limits: &Limits, slug: Option<&str>) -> Option<Given> {
    Some(Given { limits: Arc::clone(limits), slug: slug.map(Into::into), ..Given::default() })
}

fn nothing() -> Limits {
    Arc::default()
}

fn of_api() -> Terms {
    Terms { api: API, ..Terms::default() }
}

/// Where limits come from, and how much they allow.
fn told(allowance: &Allowance) -> (Level, u64) {
    (allowance.level, allowance.limits[0].max)
}

#[test]
fn a_change_reaches_every_allowance_that_it_concerns_and_no_other() {
    let mut levels = levels();
    let planned = Terms { key_plan: Some(PLAN), ..of_api() };
    levels.change([(PLAN, gives(&limits("hour", 5), Some("pro")))]);
    let (of_api, of_plan) = (levels.of(&of_api()), levels.of(&planned));
    assert_eq!((told(&of_api), told(&of_plan)), ((Level::Default, 100), (Level::KeyPlan, 5)));

    let change = levels.change([(API, gives(&limits("hour", 50), None))]);
    assert_eq!(change, Change { ends: true, begins: true }, "another limit than the default");
    assert_eq!(told(&of_api.latest().expect("another one holds")), (Level::Api, 50));
    assert!(of_api.is_over() && !of_plan.is_over(), "the plan is nearer");

    let change = levels.change([(API, gives(&limits("hour", 40), None))]);
    assert_eq!(change, Change { ends: true, begins: false }, "the same limit allows less");
    assert_eq!(told(&of_api.latest().expect("the last one")), (Level::Api, 40), "who has not heard of 50 yet learns of 40");
    assert_eq!(told(&levels.of(&self::of_api())), (Level::Api, 40));

    assert_eq!(levels.change([(PLAN, gives(&limits("hour", 6), Some("pro")))]), Change { ends: true, begins: false });
    let present = of_plan.latest().expect("another one holds");
    assert_eq!((told(&present), present.plan.as_deref()), ((Level::KeyPlan, 6), Some("pro")));
    assert_eq!(levels.change([(PLAN, gives(&limits("hour", 6), Some("pro")))]), Change::default(), "told twice");
    levels.change([(PLAN, gives(&nothing(), Some("pro")))]);
    assert_eq!(told(&of_plan.latest().expect("the last one")), (Level::Api, 40), "a plan without limits gives none");
}

#[test]
fn the_nearest_level_gives_and_tollgates_own_api_counts_for_no_workspace() {
    let mut levels = levels();
    let group = Given { plan: Some(PLAN), ..Given::default() };
    levels.change([(PLAN, gives(&limits("hour", 4), Some("gold"))), (GROUP, Some(group)), (WORKSPACE, gives(&limits("hour", 7), None))]);
    let named = Terms { workspace: Some(WORKSPACE), group: Some(GROUP), ..of_api() };
    let terms = levels.terms(named.clone());
    let allowance = levels.of(&terms);
    assert_eq!((told(&allowance), allowance.plan.as_deref()), ((Level::Workspace, 7), Some("gold")));

    levels.change([(WORKSPACE, None)]);
    assert_eq!(told(&allowance.latest().expect("another one holds")), (Level::GroupPlan, 4));
    assert_eq!(levels.terms(named.clone()).workspace, None, "who has no limits is not named");
    levels.change([(GROUP, Some(Given { limits: limits("hour", 3), ..Given::default() }))]);
    let present = allowance.latest().expect("another one holds");
    assert_eq!((told(&present), present.plan.as_deref()), ((Level::Group, 3), None), "the group has another plan");

    let own = levels.of(&Terms { is_own_api: true, ..named });
    assert_eq!(told(&own), (Level::Default, 100));
}

#[test]
fn a_key_with_limits_of_its_own_learns_what_its_plan_is_called() {
    let mut levels = levels();
    levels.change([(PLAN, gives(&limits("hour", 4), Some("gold")))]);
    let terms = Terms { workspace_plan: Some(PLAN), ..of_api() };
    let own = levels.of_own(&terms, limits("own", 9));
    assert!(Arc::ptr_eq(&own, &levels.of_own(&terms, limits("own", 9))), "kept once");
    assert_eq!(levels.change([(PLAN, gives(&limits("hour", 5), Some("gold")))]), Change::default());
    assert_eq!(levels.change([(PLAN, gives(&limits("hour", 5), Some("silver")))]), Change { ends: true, begins: false });
    let present = own.latest().expect("another one holds");
    assert_eq!((told(&present), present.plan.as_deref()), ((Level::Key, 9), Some("silver")));
    levels.change([(PLAN, gives(&limits("hour", 5), Some("gold")))]);
    let again = levels.of_own(&terms, limits("own", 9));
    assert!(!again.is_over() && again == present.latest().expect("the one of before, made anew"), "what is over is never given out");
}

/// What somebody grants, or an API gives by grant only.
fn grants(permissions: &[&str]) -> Option<Given> {
    let grants = permissions.iter().filter_map(|p| Some((API, p.parse().ok()?))).collect();
    Some(Given { grants, ..Given::default() })
}

fn withheld(allowance: &Arc<Allowance>) -> Vec<String> {
    let present = allowance.latest().unwrap_or_else(|| Arc::clone(allowance));
    present.withheld().map(|withheld| withheld.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

#[test]
fn what_anybody_grants_is_not_withheld_and_what_nobody_does_is() {
    let mut levels = levels();
    levels.change([(API, grants(&["a:x", "b:x", "c:x"])), (WORKSPACE, grants(&["b:x"]))]);
    let named = Terms { key_plan: None, workspace: Some(WORKSPACE), workspace_plan: Some(PLAN), group: Some(GROUP), ..of_api() };
    let (common, own) = (levels.of(&named), levels.of_own(&named, limits("own", 9)));
    assert_eq!([withheld(&common), withheld(&own)], [["a:x", "c:x"]; 2]);
    assert!(levels.of(&Terms { is_own_api: true, ..named.clone() }).withheld().is_none(), "for Tollgate itself there are roles");

    let change = levels.change([(PLAN, grants(&["a:x"])), (GROUP, grants(&["c:x", "d:x"]))]);
    assert_eq!((change, withheld(&common), withheld(&own)), (Change { ends: true, begins: false }, vec![], vec![]));
    assert!(common.is_over() && own.is_over() && !common.latest().expect("another one holds").withholds("a:x"));
    levels.change([(PLAN, grants(&[]))]);
    assert_eq!([withheld(&common), withheld(&own)], [["a:x"]; 2], "the plan takes back");
    levels.change([(API, grants(&["c:x"]))]);
    assert_eq!([withheld(&common), withheld(&own)], [[""; 0]; 2], "the API gives it to everybody");
    assert_eq!(told(&common.latest().expect("the last one")), (Level::Default, 100), "who grants limits nothing");
}

#[test]
fn what_nobody_holds_is_forgotten() {
    let mut levels = levels();
    for n in 0..1_000 {
        let terms = Terms { workspace: Some(Uuid::from_u128(n)), ..of_api() };
        levels.of(&terms);
        levels.of_own(&terms, limits("own", 9));
    }
    assert!(levels.lines.len() < 64, "{}", levels.lines.len());
}
