//! Payments (支付): attempts to settle claims through payment companies, what the companies tell, and refunds.
//!
//! A payment company is called outside of any transaction (rule 7), under numbers that follow from order and attempt (rule 8).
//! What it says is taken in by [`settle`] alone, whether it answered, told, or was asked. Locks are taken in this order: the
//! claim, its payments by `seq`, their refunds by number.

pub mod account;
mod act;
mod aside;
mod begin;
pub mod domain;
pub mod job;
#[cfg(test)]
mod model;
pub mod notification;
pub mod offline;
pub mod order_side;
pub mod provider;
mod read;
pub mod record;
pub mod refund;
pub mod rpc;
pub mod sandbox;
pub mod settle;
mod show;
pub mod store;
pub mod wechat;
