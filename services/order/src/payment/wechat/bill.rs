//! The trade bill of a day (交易账单): a file whose digest the company tells in a signed answer.

use std::collections::HashMap;

use http::{Method, Uri};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Deserialize;
use siyu_kernel::{Currency, LocalDay, parse_decimal};

use super::{client::Client, crypto::hex};
use crate::{
    limits,
    payment::provider::Trouble,
    reconciliation::domain::{Row, RowKind},
};

#[derive(Debug, Deserialize)]
struct Offer {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

/// Fetches and reads the bill of a day.
pub(super) async fn fetch(client: &Client, day: LocalDay) -> Result<Vec<Row>, Trouble> {
    let path = format!("/v3/bill/tradebill?bill_date={}&bill_type=ALL", day.date());
    let said = client.get(&path).await?;
    if !said.is_done() {
        return Err(match said.code() {
            "NO_STATEMENT_EXIST" | "STATEMENT_CREATING" => Trouble::NotReady,
            code => said
                .refused()
                .unwrap_or_else(|| Trouble::Unknown(format!("it has no bill: {code}"))),
        });
    }
    let offer: Offer = said.read()?;
    let url: Uri = offer.download_url.parse().map_err(|_| odd("its address"))?;
    let path = url.path_and_query().ok_or_else(|| odd("its address"))?.as_str();
    let got = client.send(Method::GET, path, String::new(), limits::BILL_MAX).await?;
    let (status, _, file) = got;
    if status != 200 {
        return Err(Trouble::Unknown(format!("the bill is not there: {status}")));
    }
    // The file itself bears no signature: its digest stands in the answer that does.
    if offer.hash_type != "SHA1" || sha1(&file) != offer.hash_value.to_ascii_lowercase() {
        return Err(odd("its digest"));
    }
    let text = std::str::from_utf8(&file).map_err(|_| odd("its text"))?;
    read(text)
}

fn odd(what: &str) -> Trouble {
    Trouble::Unknown(format!("the bill is broken: {what}"))
}

fn sha1(file: &[u8]) -> String {
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, file).as_ref())
}

/// Reads a bill: a line of names, a line for each movement with a grave accent before each value, and two lines of sums.
/// Nothing is quoted: a value may hold commas and quotation marks, and ends where a comma and an accent begin the next one.
fn read(text: &str) -> Result<Vec<Row>, Trouble> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let head = lines.next().ok_or_else(|| odd("it is empty"))?;
    let places: HashMap<&str, usize> =
        head.split(',').enumerate().map(|(i, name)| (name.trim(), i)).collect();
    let mut rows = Vec::new();
    for line in lines {
        let Some(line) = line.strip_prefix('`') else { break };
        let values: Vec<&str> = line.split(",`").collect();
        if values.len() < places.len() {
            return Err(odd("a line has fewer values than names"));
        }
        let value = |names: &[&str]| {
            let place = names.iter().find_map(|name| places.get(name));
            let value = place.and_then(|&place| values.get(place));
            value.map(|value| value.trim()).unwrap_or_default()
        };
        rows.extend(row(value)?);
    }
    Ok(rows)
}

/// One movement; `None` for a line that moves nothing.
fn row<'a>(value: impl Fn(&[&str]) -> &'a str) -> Result<Option<Row>, Trouble> {
    let (kind, out_no, provider_no, amount) = match value(&["交易状态"]) {
        "SUCCESS" => (
            RowKind::Payment,
            value(&["商户订单号"]),
            value(&["微信订单号"]),
            value(&["订单金额", "应结订单金额"]),
        ),
        "REFUND" => (
            RowKind::Refund,
            value(&["商户退款单号"]),
            value(&["微信退款单号"]),
            value(&["申请退款金额", "退款金额"]),
        ),
        _ => return Ok(None),
    };
    let currency = Currency::parse(value(&["货币种类"])).map_err(|_| odd("a currency"))?;
    let amount_minor = parse_decimal(amount, currency).map_err(|_| odd("an amount"))?;
    if out_no.is_empty() || amount_minor <= 0 {
        return Err(odd("a line without number or amount"));
    }
    Ok(Some(Row {
        kind,
        out_no: out_no.to_owned(),
        provider_no: provider_no.to_owned(),
        amount_minor,
        currency: currency.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BILL: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n\
        `2024-06-01 10:00:00,`wx1,`1900000001,`0,`,`4200001,`ORDER-1,`o1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`88.00,`0.00,`0,`0,`0.00,`0.00,`,`,`Shirt,`,`0.53000,`0.60%,`88.05,`0.00,`\n\
        `2024-06-01 11:00:00,`wx1,`1900000001,`0,`,`4200001,`ORDER-1,`o1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5000001,`ORDER-1-r1,`20.00,`0.00,`ORIGINAL,`SUCCESS,`Shirt,`,`-0.12000,`0.60%,`0.00,`20.05,`\n\
        总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n\
        `2,`88.00,`20.00,`0.00,`0.41000,`88.05,`20.05\n";

    #[test]
    fn a_bill_is_read_by_the_names_of_its_columns() {
        let row = |kind, out_no: &str, provider_no: &str, amount_minor| Row {
            kind,
            out_no: out_no.to_owned(),
            provider_no: provider_no.to_owned(),
            amount_minor,
            currency: "CNY".to_owned(),
        };
        let expected = vec![
            row(RowKind::Payment, "ORDER-1", "4200001", 8_805),
            row(RowKind::Refund, "ORDER-1-r1", "5000001", 2_005),
        ];
        assert_eq!(read(BILL).unwrap(), expected);
        // What was sold has any name.
        let odd = BILL.replace("`Shirt,", "`Shirt, \"blue\", size M,");
        assert_ne!(odd, BILL);
        assert_eq!(read(&odd).unwrap(), expected);
        assert_eq!(read(&odd.replace('\n', "\r\n")).unwrap(), expected);
        assert!(read(&BILL.replace(",`Shirt", "")).is_err(), "a value is missing");
        assert!(read("").is_err());
        assert!(read(&BILL.replace("`88.05,`0.00", "`88.055,`0.00")).is_err(), "half a fen");
    }
}
