//! The pages of `/docs`, once: what they are called, what stands on them and in what order. Their route, the contents beside them, the list
//! at the start and the tests come from here.

use super::{
    docs_account, docs_acting, docs_audit, docs_bans, docs_blocks, docs_bundles, docs_credits, docs_errors, docs_factors, docs_import, docs_keys, docs_limits,
    docs_mails, docs_master_key, docs_outages, docs_over, docs_programs, docs_proxies, docs_rest, docs_revoked, docs_rolling, docs_routes, docs_sessions,
    docs_sign_in, docs_signing, docs_speed, docs_together, docs_usage, docs_verify,
};
use leptos::prelude::AnyView;

/// Pages under one heading of the contents.
pub struct DocPart {
    pub title: &'static str,
    pub pages: &'static [Doc],
}

/// The page at `/docs/{slug}`.
pub struct Doc {
    pub slug: &'static str,
    pub title: &'static str,
    pub summary: &'static str,
    /// Its `h2`s in order: id and words. The start has all these ids, too, where they stood when `/docs` was one page.
    pub sections: &'static [(&'static str, &'static str)],
    /// What stands on it, one after the other.
    texts: &'static [fn() -> AnyView],
}

impl Doc {
    pub fn path(&self) -> String {
        format!("/docs/{}", self.slug)
    }

    pub(super) fn text(&self) -> Vec<AnyView> {
        self.texts.iter().map(|text| text()).collect()
    }
}

/// Every page, in the order of the contents.
pub fn all_docs() -> impl Iterator<Item = &'static Doc> {
    DOCS.iter().flat_map(|part| part.pages)
}

pub static DOCS: &[DocPart] = &[
    DocPart {
        title: "Protect an API",
        pages: &[
            Doc {
                slug: "proxies",
                title: "By a proxy",
                summary: "nginx, Caddy, Traefik or Envoy asks for every call: four whole files.",
                sections: &[
                    ("proxy", "What the proxy asks"),
                    ("files", "Four whole files"),
                    ("with-nginx", "nginx"),
                    ("with-caddy", "Caddy"),
                    ("with-traefik", "Traefik"),
                    ("with-envoy", "Envoy"),
                ],
                texts: &[docs_proxies::proxies],
            },
            Doc {
                slug: "verify",
                title: "By your code",
                summary: "Your service asks about a key and reads the answer, with every code that there is.",
                sections: &[("verify", "Question and answer"), ("codes", "Codes")],
                texts: &[docs_verify::verify, docs_verify::codes],
            },
            Doc {
                slug: "routes",
                title: "Routes",
                summary: "Say once which permission a call needs and what it costs; and let a key call some routes only.",
                sections: &[("routes", "What calls need"), ("key-routes", "Routes of a key")],
                texts: &[docs_routes::routes],
            },
            Doc {
                slug: "signing",
                title: "Web pages and signed requests",
                summary: "Keys that stand in web pages, and calls that nobody can alter or send again.",
                sections: &[("origins", "Web pages"), ("signed", "Signed requests")],
                texts: &[docs_signing::origins, docs_signing::signed],
            },
        ],
    },
    DocPart {
        title: "Keys and limits",
        pages: &[
            Doc {
                slug: "keys",
                title: "Keys",
                summary: "What a key is and who uses it, how its secret is replaced, and what it may do.",
                sections: &[
                    ("keys", "What a key is"),
                    ("about-a-key", "Who uses a key"),
                    ("rotation", "Rotation"),
                    ("bundles", "Permissions and bundles"),
                    ("grants", "Permissions that need a grant"),
                ],
                texts: &[docs_keys::keys, docs_keys::about, docs_keys::rotation, docs_bundles::bundles, docs_bundles::grants],
            },
            Doc {
                slug: "many-keys",
                title: "Many keys",
                summary: "Keys that you gave out elsewhere, acts on many at once, and many made from a list.",
                sections: &[("import", "Keys of another system"), ("many-at-once", "Many keys at once"), ("create-many", "Many keys from a list")],
                texts: &[docs_import::import, docs_keys::many],
            },
            Doc {
                slug: "revoking",
                title: "Leaked and revoked keys",
                summary: "How a leaked key is found, and what is guaranteed once a key was revoked.",
                sections: &[("leaked", "Leaked keys"), ("revoked", "Revoked means revoked")],
                texts: &[docs_keys::leaked, docs_revoked::revoked],
            },
            Doc {
                slug: "limits",
                title: "Limits",
                summary: "Windows, how several servers share a limit, at which levels limits stand, and what callers are told.",
                sections: &[
                    ("limits", "Windows"),
                    ("several-servers", "On several servers"),
                    ("levels", "Levels"),
                    ("limit-answers", "What the caller is told"),
                    ("over", "Beyond a limit"),
                ],
                texts: &[docs_limits::limits, docs_over::over],
            },
            Doc {
                slug: "limit-kinds",
                title: "Other kinds of limits",
                summary: "Rolling windows, credits that come back bit by bit, and calls at the same time.",
                sections: &[("rolling", "Rolling windows"), ("credits", "Credits"), ("together", "Calls at the same time")],
                texts: &[docs_rolling::rolling, docs_credits::credits, docs_together::together],
            },
            Doc {
                slug: "blocks",
                title: "Blocks and abuse rules",
                summary: "Who is refused or slowed for a time, by an operator or by a rule.",
                sections: &[
                    ("blocks", "Blocks"),
                    ("slow", "Slowing in place of refusing"),
                    ("held", "Who is held, and who never"),
                    ("abuse-rules", "Abuse rules"),
                ],
                texts: &[docs_blocks::blocks],
            },
        ],
    },
    DocPart {
        title: "Usage",
        pages: &[
            Doc {
                slug: "usage",
                title: "Usage",
                summary: "How calls are counted and for how long: by route, address and permission; and how long they took.",
                sections: &[
                    ("usage", "How calls are counted"),
                    ("kept", "How long counts are kept"),
                    ("units", "Units, steps, other times"),
                    ("addresses", "From where calls came"),
                    ("permissions-used", "What calls needed"),
                    ("latencies", "How long calls took"),
                ],
                texts: &[docs_usage::usage],
            },
            Doc {
                slug: "requests",
                title: "Requests, files and mails",
                summary: "Single calls in detail, usage as a file, and mails before a limit is used up or when errors gather.",
                sections: &[
                    ("refusals", "Refusals in detail"),
                    ("passed", "Calls that passed, in detail"),
                    ("exports", "Files"),
                    ("notices", "Mails before a limit is used up"),
                    ("alerts", "Mails about errors"),
                ],
                texts: &[docs_usage::requests],
            },
        ],
    },
    DocPart {
        title: "Accounts and sign-in",
        pages: &[
            Doc {
                slug: "sign-in",
                title: "Sign-in",
                summary: "Passkeys, second factors, sign-in with others, and programs that sign in for a person.",
                sections: &[
                    ("passkeys", "Passkeys"),
                    ("two-factor", "Two-factor sign-in"),
                    ("sign-in-with-others", "Sign-in with others"),
                    ("programs", "Programs that sign in"),
                ],
                texts: &[docs_factors::factors, docs_sign_in::sign_in, docs_programs::programs],
            },
            Doc {
                slug: "accounts",
                title: "Accounts",
                summary: "Your own account; who may come in, for how long, by which invitation; and operators who look into an account.",
                sections: &[
                    ("account", "Your account"),
                    ("bans", "Who may come in"),
                    ("sessions", "Sessions"),
                    ("hundred", "A hundred wrong tries"),
                    ("work", "Sign-up under attack"),
                    ("invitations", "Invitations"),
                    ("import-accounts", "Accounts of another system"),
                    ("acting", "Operators in an account"),
                ],
                texts: &[
                    docs_account::account,
                    docs_bans::bans,
                    docs_sessions::sessions,
                    docs_master_key::invitations,
                    docs_factors::of_another_system,
                    docs_acting::acting,
                ],
            },
        ],
    },
    DocPart {
        title: "Operate",
        pages: &[Doc {
            slug: "operate",
            title: "Run Tollgate",
            summary: "How fast it is, what it does without the database, its mails, the master key and the audit log.",
            sections: &[
                ("speed", "Speed"),
                ("outages", "Without the database"),
                ("health", "Health, metrics, connections"),
                ("mails", "Mails"),
                ("master-key", "The master key"),
                ("bill", "What a build is made of"),
                ("audit", "The audit log"),
            ],
            texts: &[docs_speed::speed, docs_outages::outages, docs_outages::health, docs_mails::mails, docs_master_key::master_key, docs_audit::audit],
        }],
    },
    DocPart {
        title: "Reference",
        pages: &[Doc {
            slug: "errors",
            title: "Errors and REST",
            summary: "What a problem document says, what is not answered now, and what all REST routes have in common.",
            sections: &[
                ("errors", "Errors"),
                ("not-now", "429 and 503"),
                ("request-id", "The id of a request"),
                ("rest", "REST in general"),
                ("idempotency-key", "Requests sent twice"),
            ],
            texts: &[docs_errors::errors, docs_rest::rest],
        }],
    },
];
