//! The long words of the help: what each command does, and how it is typed. The first line of each is its short word.

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; the message says why
  2  the command line is wrong
  3  done, but some rows were rejected; the rejects file has them
  4  the suite could not be reached, or it did not accept the token";

pub(super) const SIYU: &str = "\
Siyu (私域) is the back end of private-domain commerce: a merchant's members, orders,
distributors, messages, and the numbers that tell whether the private domain grows.

This one program starts the suite and is its client:

  siyu demo                      see it all, on real orders
  siyu up                        run the suite in one process, on its own PostgreSQL
  siyu serve order               run one service on your PostgreSQL

  siyu merchant create …         open a merchant and get its token
  siyu import orders FILE        bring orders in, from any platform
  siyu report                    what the orders say

The clients talk to the gateway at --server and take the token from SIYU_TOKEN.";

pub(super) const DEMO: &str = "\
Start everything, import real orders and show the report.

Starts the whole suite in this process on an embedded PostgreSQL, opens a demo merchant,
imports the CDNOW orders (69,659 purchases of 23,570 customers, 1997-1998) through the public
API, waits until the figures have caught up, and prints the report. Then the suite stays up,
with its addresses, a token and commands to try on the screen, until Ctrl-C.

A second run finds the data and imports nothing twice.";

pub(super) const DEMO_EXAMPLES: &str = "\
Examples:
  siyu demo
  siyu demo --once --json > report.json     # the report, and what the import did as .import";

pub(super) const UP: &str = "\
Run the whole suite in one process, on a PostgreSQL of its own.

Finds PostgreSQL's programs, keeps a private database under the data directory, brings it to
the schema of this version, and serves the five services and the gateway until Ctrl-C. A
second Ctrl-C ends at once. No other process is left behind.

In the data directory: postgres/ is the database, operator.token the token that may do
everything (readable by its owner alone; delete the file and start again for a new one),
internal.key what the services trust each other by, vault.key what personal data are sealed
under. Keep the directory to keep the data.";

pub(super) const UP_EXAMPLES: &str = "\
Examples:
  siyu up
  siyu up --data-dir /var/lib/siyu --http 0.0.0.0:7080";

pub(super) const SERVE: &str = "\
Run one service on configured PostgreSQL, peers and, if set, NATS JetStream.

Values come from the defaults, then the file, then the environment: SIYU__SECTION__KEY=value
sets section.key. `siyu config` prints every key with its effective value. A service
refuses to start while `siyu migrate` has work to do.";

pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  siyu serve order --config /etc/siyu/order.toml
  SIYU__DATABASE__URL=postgres://siyu_app@db/siyu_order siyu serve order";

pub(super) const MIGRATE: &str = "\
Bring the databases to the schema of this version.

Safe to run by several at once and again: each migration is applied once, in its own
transaction. `siyu up` and `siyu demo` do this by themselves.";

pub(super) const MIGRATE_EXAMPLES: &str = "\
Examples:
  siyu migrate --config /etc/siyu/siyu.toml
  siyu migrate order";

pub(super) const CONFIG: &str = "\
Print the effective configuration, without secrets.

Shows each key with its value after the defaults, the file and the environment; what is
secret is shown as ***. A key that nothing reads is an error that names it.";

pub(super) const PROBE: &str = "\
Ask a running service whether it is ready, by the gRPC health protocol.

Prints the answer. Ends with 0 when it is serving, 1 when it says that it is not, 4 when it
cannot be reached. Meant for container health checks, where no other client is at hand.";

pub(super) const PROBE_EXAMPLES: &str = "\
Examples:
  siyu probe
  siyu probe --server http://127.0.0.1:7071 --service siyu.order.v1.OrderService";

pub(super) const MERCHANT_CREATE: &str = "\
Open a merchant and print its id and a token that may do everything for it.

Only the operator may: SIYU_TOKEN must be the operator's token. `siyu up` shows it at each start
and keeps it in operator.token under its data directory. The merchant's token is shown this once
and stored nowhere but as a digest.";

pub(super) const MERCHANT_CREATE_EXAMPLES: &str = "\
Examples:
  siyu merchant create --name \"Blue Bottle\" --zone Asia/Shanghai --currency CNY
  siyu merchant create --name Demo --zone UTC --currency USD --json | jq -r .token";

pub(super) const STORE_IMPORT: &str = "\
Create or change stores from a CSV file. All or nothing: a mistake in one row stops the whole file.

  id         your own key of the store; order files name it as store_id. Needed.
  name       the name. Needed.
  kind       direct (直营, the default) or franchise (加盟)
  zone       IANA zone; the merchant's without
  hours      opening hours, entries separated by \";\"; 10:00-22:00 every day without
  area_sqm   selling floor in square metres, at most two decimals
  latitude, longitude
             where it stands: WGS-84 degrees with at most six decimals like 31.230416;
             as before without

Hours: days, then spans; a span that ends before it starts reaches into the next day. A date
replaces the hours of that one day.

  Mon-Fri 10:00-22:00; Sat,Sun 11:00-23:00; Fri 20:00-02:00; 2024-10-01 closed
  daily 00:00-24:00
  Mon-Sat 09:00-12:30,14:00-19:00; Sun closed

Lists the stores as they are now; -q prints nothing but errors.";

pub(super) const STORE_IMPORT_EXAMPLES: &str = "\
Examples:
  siyu store import stores.csv
  siyu store import - < stores.csv";

pub(super) const IMPORT_ORDERS: &str = "\
Bring in orders from a file: CSV with a header, plain or gzip, or stdin.

Columns, in any order; others are ignored:

  order_no     the number on the platform. Needed.
  line_no      the line within the order; without it, lines are counted as they come
               (in memory: some 40 bytes an order and 30 a line)
  buyer_id     the buyer's id in the shop. Needed.
  paid_at      RFC 3339 instant, or local date or date-time. Needed.
  store_id     your own key of the store, as in `siyu store import`
  domain       private (私域, the default), public (公域) or pos
  channel      the channel within the domain, for example mini_program
  sku, category
  quantity     pieces; 1 without
  currency     ISO 4217; the merchant's without
  amount       what the buyer paid for the line, a decimal: 19.99. Needed. An order may have at
               most 9,000,000,000,000 minor units (90 billion CNY) and 5,000 lines.
  status       the platform's own word; paid without. A word that is not known is put aside.
  updated_at   the platform's version of the order; paid_at without

Rows of one order_no are the lines of one order. A local time is read in the zone of its
store, else in --zone, else in the merchant's.

An order is known by (platform, shop, order_no, line_no). What is known and not newer is left
alone, so a file can be imported again, after a break or by mistake, and nothing counts twice.
A suite that goes away is waited for, about a minute, and the import goes on by itself.

Only line_no tells the same article twice in one order from one line that was written twice.
Without it, a row that is an earlier row again, byte for byte, is another line; how many there
were, and where, is said at the end. --repeated-rows reject sends them to the rejects file.

A bad row is reported with line, column and reason, goes to the rejects file, and stops nothing.
Mend the rejects file and import it like any other; keep --platform and --shop. Behind the
columns of the file it has reject_line, reject_column and reject_reason; a row with more fields
than the header has stands whole in reject_row, its columns are empty. The file is written anew
by each run; a run without bad rows leaves none.";

pub(super) const IMPORT_ORDERS_EXAMPLES: &str = "\
Examples:
  siyu import orders orders.csv.gz
  siyu import orders export.csv --platform tmall --shop flagship \\
      --columns order_no=订单编号,buyer_id=买家会员名,paid_at=付款时间,amount=实付金额
  zcat 2024-*.csv.gz | siyu import orders - --zone Asia/Shanghai --json";

pub(super) const REPORT: &str = "\
Show what the orders say: turnover, buyers, who comes back, cohorts, RFM segments, the triangle.

The window is half open: --from is the first day, --to the first day after it, so a year is
--from 2024-01-01 --to 2025-01-01. Without them the window is everything there is. Days are
cut in the merchant's zone. --as-of is the last day that is looked at, inclusive; without it
the last day of the window. A window has at most 7,310 days, about twenty years.

\"Again\" (复购) counts buyers who bought on two days or more of the window; two orders on one day
are one occasion. Effective customers (有效客户) count a second order, on the same day too.

--json prints one object, described in REPORT.md beside the program's source.";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  siyu report
  siyu report --from 2024-01-01 --to 2025-01-01
  siyu report --from 2024-06-01 --to 2024-07-01 --json | jq .gmv_minor";

pub(super) const LEDGER_CHECK: &str = "\
Verify that every ledger of the merchant balances: the trial balance of each asset is zero, and
every balance equals the transfers on it; and that every stock is what its movements and its
reservations add up to. Ends with 1 and says what does not hold otherwise.";

pub(super) const METRICS_REBUILD: &str = "\
Compute every figure of the merchant again from the stored facts, and compare it with what was
there. Equal bit for bit is the rule; ends with 1 when it was not so.";

pub(super) const METRICS_BASELINE: &str = "\
Take a new baseline for the triangle (私域三角), for all reports from now on.

The index of the triangle compares with a baseline that stays: 100 is the baseline. The first one
is kept from the first report at which all three sides have a value; it looks a year back, or at
the end of the first two years of orders where that is later. Set another one when orders of that
time came in later, or to measure from another day. Earlier ones are kept.";

pub(super) const METRICS_BASELINE_EXAMPLES: &str = "\
Examples:
  siyu metrics baseline
  siyu metrics baseline --day 2023-12-31 --json";

/// The examples of an import, and what its exit code says.
pub(super) fn import_orders_long() -> String {
    format!("{IMPORT_ORDERS_EXAMPLES}\n\n{EXIT_CODES}")
}
