//! Integration tests: real Postgres (a database per test), real HTTP, a frozen clock.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on stops")]

mod accounts;
mod admin;
mod architecture;
mod audit;
mod blocks;
mod cli;
mod config;
mod demo;
mod exports;
mod gallery;
mod gate;
mod home;
mod http;
mod jobs;
mod key_ring;
mod keys;
mod mail;
mod notices;
mod once;
mod openapi;
mod places;
mod plans;
mod postgres;
mod routes;
mod sbom;
mod support;
mod usage;
mod web;
