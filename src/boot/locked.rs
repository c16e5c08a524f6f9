//! Which server functions change what the configuration can lock, by area. An operation of an area refuses every function that is not listed
//! here for it, locked or not (`accounts::server::must_be_open`), so one that was forgotten never worked; and what is listed is what pages
//! replace by a sentence where the area is locked. A form that shows and is refused can't be.

use crate::{
    accounts::{Reach, api::SavePolicy},
    admin::api::{ChangeField, CreateApi, CreateField, DeleteBundle, DeleteField, RemoveRoute, SaveApi, SaveBundle, SaveRoute, SetApiLimit},
    blocks::api::{SetExemptions, SetRule},
    plans::api::{CreateGroup, CreatePlan, DeleteGroup, DeletePlan, SaveGroup, SavePlan, SetGroupGrants, SetGroupLimit, SetPlanGrants, SetPlanLimit},
    platform::config::Config,
    ui::LockedForms,
    values::Area,
};
use leptos::server_fn::ServerFn;

/// The forms that are not shown, by the addresses of their server functions.
pub fn forms(config: &Config) -> LockedForms {
    LockedForms(config.admin.locked.iter().flat_map(|area| functions_of(*area).iter().map(move |path| (*path, *area))).collect())
}

/// How far whoever calls the function of this address may go.
pub fn reach(path: &str) -> Reach {
    Reach::Form(Area::ALL.into_iter().find(|area| functions_of(*area).contains(&path)))
}

fn functions_of(area: Area) -> &'static [&'static str] {
    match area {
        Area::Apis => &[CreateApi::PATH, SaveApi::PATH, SaveRoute::PATH, RemoveRoute::PATH, SaveBundle::PATH, DeleteBundle::PATH, SetApiLimit::PATH],
        Area::Fields => &[CreateField::PATH, ChangeField::PATH, DeleteField::PATH],
        Area::Plans => &[
            CreatePlan::PATH,
            SavePlan::PATH,
            DeletePlan::PATH,
            SetPlanLimit::PATH,
            SetPlanGrants::PATH,
            CreateGroup::PATH,
            SaveGroup::PATH,
            DeleteGroup::PATH,
            SetGroupLimit::PATH,
            SetGroupGrants::PATH,
        ],
        Area::Rules => &[SetRule::PATH, SetExemptions::PATH],
        Area::Sessions => &[SavePolicy::PATH],
    }
}
