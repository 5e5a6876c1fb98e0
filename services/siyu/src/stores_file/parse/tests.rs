use super::*;

fn errors(text: &str) -> Vec<String> {
    match parse(text.as_bytes()) {
        Err(Error::Rows(errors)) => errors.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_file_becomes_stores() {
    let text = "\u{feff}ID, Name ,kind,opening_hours,area\n\
                s1,Bund 外滩,,Mon-Fri 10:00-22:00,160.5\n\
                \n\
                ,,,,\n\
                s2,\"Quay, East\",加盟,,\n";
    let stores = parse(text.as_bytes()).unwrap();
    let shown: Vec<_> = stores
        .iter()
        .map(|s| (s.code.as_str(), s.name.as_str(), s.kind(), s.area_centi_sqm, s.hours.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            ("s1", "Bund 外滩", StoreKind::Direct, 16_050, true),
            ("s2", "Quay, East", StoreKind::Franchise, 0, false),
        ]
    );
}

#[test]
fn every_bad_row_is_named_with_line_and_column() {
    let long = "x".repeat(65);
    let text = format!(
        "id,name,kind,zone,hours,area_sqm\n\
         ,No id,,,,\n\
         {long},Long id,,,,\n\
         s3,,,,,\n\
         s4,Kind,rented,,,\n\
         s5,Zone,,Beijing,,\n\
         s6,Hours,,,Mon,\n\
         s7,Area,,,,1.234\n\
         s8,Twice,,,,\n\
         s8,Twice,,,,\n\
         s9,Hours,,,Sat,Sun 10:00-12:00,\n"
    );
    assert_eq!(
        errors(&text),
        [
            "line 2: id: is required",
            "line 3: id: must have at most 64 bytes, has 65",
            "line 4: name: is required",
            "line 5: kind: \"rented\" must be direct or franchise",
            "line 6: zone: \"Beijing\" is not an IANA time zone like Asia/Shanghai",
            "line 7: hours: \"Mon\" must be days and hours like Mon-Fri 10:00-22:00, or days and \"closed\"",
            "line 8: area_sqm: \"1.234\" must be a number with at most two decimals",
            "line 10: id: \"s8\" stands in the file twice",
            "line 11: the row: it has 7 fields, the header has 6; a text with commas stands in quotes",
        ]
    );
}

#[test]
fn where_a_store_stands_is_read_to_the_millionth_of_a_degree() {
    let text = "id,name,latitude,longitude\n\
                s1,Bund,31.230416,121.4737\n\
                s2,Quay,-36.8485,-0.5\n\
                s3,Nowhere,,\n\
                s4,Nought,0,0\n";
    let stores = parse(text.as_bytes()).unwrap();
    let points: Vec<_> = stores
        .iter()
        .map(|s| s.point.map(|at| (at.latitude_e6.unwrap(), at.longitude_e6.unwrap())))
        .collect();
    let expected =
        [Some((31_230_416, 121_473_700)), Some((-36_848_500, -500_000)), None, Some((0, 0))];
    assert_eq!(points, expected);
    let text = "id,name,latitude,longitude\n\
                s1,Bund,31.2304161,121\n\
                s2,Bund,north,121\n\
                s3,Bund,90.000001,121\n\
                s4,Bund,31,-180.5\n\
                s5,Bund,31,\n";
    assert_eq!(
        errors(text),
        [
            "line 2: latitude: \"31.2304161\" must be degrees with at most six decimals",
            "line 3: latitude: \"north\" must be degrees with at most six decimals",
            "line 4: latitude: must be from -90 to 90",
            "line 5: longitude: must be from -180 to 180",
            "line 6: longitude: is required beside the other number",
        ]
    );
}

#[test]
fn a_header_that_cannot_be_used_is_refused_with_the_columns_that_can() {
    let cases = [
        ("", "the file is empty"),
        ("id\ns1", "no column \"name\""),
        ("id,name,colour\ns1,a,b", "nothing reads the column \"colour\""),
        ("id,name,code\ns1,a,b", "the column \"code\" is twice"),
        ("\u{0}\u{1}", "not a CSV file"),
    ];
    for (text, words) in cases {
        let message = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(message.contains(words), "{text:?}: {message}");
    }
}
