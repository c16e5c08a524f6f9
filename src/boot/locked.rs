//! The forms that are not shown where the configuration locks what they change. Their operations refuse it anyway, also over REST
//! (`accounts::server::must_be_open`).

use crate::{
    accounts::api::SavePolicy,
    admin::api::{ChangeField, CreateApi, CreateField, DeleteBundle, DeleteField, RemoveRoute, SaveApi, SaveBundle, SaveRoute, SetApiLimit},
    blocks::api::{SetExemptions, SetRule},
    plans::api::{CreateGroup, CreatePlan, DeleteGroup, DeletePlan, SaveGroup, SavePlan, SetGroupGrants, SetGroupLimit, SetPlanGrants, SetPlanLimit},
    platform::config::Config,
    ui::LockedForms,
    values::Area,
};
use leptos::server_fn::ServerFn;

/// By the addresses of their server functions.
pub fn forms(config: &Config) -> LockedForms {
    LockedForms(config.admin.locked.iter().flat_map(|area| of(*area).into_iter().map(|path| (path, *area))).collect())
}

fn of(area: Area) -> Vec<&'static str> {
    match area {
        Area::Apis => vec![CreateApi::PATH, SaveApi::PATH, SaveRoute::PATH, RemoveRoute::PATH, SaveBundle::PATH, DeleteBundle::PATH, SetApiLimit::PATH],
        Area::Fields => vec![CreateField::PATH, ChangeField::PATH, DeleteField::PATH],
        Area::Plans => vec![
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
        Area::Rules => vec![SetRule::PATH, SetExemptions::PATH],
        Area::Sessions => vec![SavePolicy::PATH],
    }
}
