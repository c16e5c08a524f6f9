//! The part of `/docs` about operators who act as an account.

use leptos::prelude::*;

pub fn acting() -> AnyView {
    view! {
        <h2 id="acting">"Operators in an account"</h2>
        <p>"To see what somebody sees, an operator opens the account in Admin and presses “Act as this account”: for 15, 30 or 60 minutes, with a reason. It takes the permission "<code>"accounts:act-as"</code>" (operators have it), a proof of the last ten minutes, and the admin PIN where there is one. Nobody acts as an operator, as themself, or as an account that can't come in. The owner is told by mail at once, with the reason, and every such time stands on "<a href="/settings/sessions">"Sessions"</a>" for a year."</p>
        <p>"A bar above every page says as whom and until when, and its button “Stop” leads back to the account in Admin. The browser keeps the operator's own session: the account gets none, so its devices, its last sign-in and the number of its sessions stay as they are. It ends with the operator's session, account, role or permission, and when the account is disabled, banned or left, becomes an operator's, or its owner signs out the other devices or resets the password. From that moment on the browser does nothing as either of the two until the operator goes back; and a form that was opened as one of them, in whichever tab, is never sent as the other."</p>
        <p>"An operator looks at Home, Keys and the page of each, Usage, Errors, Requests, Exports, and of the settings at Profile, What others see, Sessions and Notifications, and may change name, time zone, language and fields of the profile. Everything else is refused: passwords, second factors, passkeys, sign-ins elsewhere, another address, the handle and picture, sessions and programs, making, changing or ending keys and their secrets, warnings, files of data, leaving, whatever takes a proof again, and all of "<code>"/api"</code>", which knows keys only. Menus, tabs and links leave out what is refused, and the settings say which tabs those are. What is new in Tollgate is refused until somebody decides otherwise. Every event that is written meanwhile has the operator as its actor and the account in "<code>"on_behalf_of"</code>"; histories say “Jon, acting as Mara, changed the profile”."</p>
    }
    .into_any()
}
