"""Mails are read: what is new in them, their files, who wrote them, and which of them machines wrote."""

from __future__ import annotations

import itertools
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.mail_html import text_of
from connectors.mail_mime import content_of, parsed
from connectors.mail_quotes import new_part
from connectors.mail_reading import Ignored, Mail, Rules, read
from connectors.mail_threads import Contact, Marks, fits
from tests.connectors.mail_desk import mailbox
from tests.doubles.mail_server import AUTHSERV, DESK, mail

MARKS = Marks(b"secret of the tests", "default", DESK)
RULES = Rules(DESK, MARKS, AUTHSERV)
ANN = "Ann@shop.example"


def taken(message: EmailMessage | bytes, rules: Rules = RULES) -> Mail:
    found = read(message if isinstance(message, bytes) else message.as_bytes(), rules)
    assert isinstance(found, Mail)
    return found


def written(head: str, body: bytes) -> bytes:
    return f"From: {ANN}\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\n{head}\r\n\r\n".encode() + body


class TestWhatIsNew:
    @pytest.mark.parametrize(
        "history",
        [
            "On Mon, 30 Nov 2026 at 10:00, Shop <support@desk.example> wrote:\n> old",
            "On Mon, 30 Nov 2026 at 10:00, The very long name of a shop\n<support@desk.example> wrote:\n\n> old",
            "-----Original Message-----\nFrom: Shop\nSent: Monday\nold",
            "________________________________\nFrom: Shop <support@desk.example>\nSent: Monday\nTo: Ann\nSubject: x\n\nold",
            "*From:* Shop\n*Sent:* Monday\nold",
            "在 2026年11月30日，10:00，Shop <support@desk.example> 写道：\n> old",
            '在 2026-11-30 10:00:00，"Shop" <support@desk.example> 写道：\nold',
            "Shop <support@desk.example> 于2026年11月30日周一 10:00写道：\n> old",
            "2026年11月30日 10:00，Shop <support@desk.example> 写道：\n\n> old",
            '------------------ 原始邮件 ------------------\n发件人: "Shop";\n发送时间: 2026年\nold',
            "-----原始邮件-----\n发件人:Shop\n发送时间:2026-11-30\n收件人:Ann\nold",
            "发件人： Shop\n发送时间： 2026年11月30日\n收件人： Ann\n主题： x\nold",
            "---- 回复的原邮件 ----\n| 发件人 | Shop |\nold",
            'At 2026-11-30 10:00:00, "Shop" <support@desk.example> wrote:\n>old',
            "-- \nAnn Lee\nDirector",
            "发自我的iPhone",
            "Sent from my iPhone",
            "发自我的 iPhone\n\n> 在 2026年11月30日，10:00，Shop 写道：\n> old",
        ],
    )
    def test_history_and_signatures_are_cut_in_both_languages(self, history: str) -> None:
        assert new_part(f"Thank you!\nIt works: yes\n\n{history}\n") == ("Thank you!\nIt works: yes", True)

    def test_answers_between_quoted_lines_are_kept(self) -> None:
        assert new_part("> Which order?\nNumber 2\n> Which colour?\nred") == ("Number 2\nred", True)

    @pytest.mark.parametrize(
        "text",
        [
            "On Monday I wrote: nothing\nand then more",
            "From: Berlin\nI want to fly to Rome",
            "在店里买的风筝，发票写道：已付款。请帮我看看",
            "a - b\n-- not a signature",
            "> only a quotation",
            "",
        ],
    )
    def test_what_only_looks_like_history_is_kept(self, text: str) -> None:
        assert new_part(text) == (text, False)

    @given(st.text(max_size=400))
    def test_what_is_new_is_always_a_part_of_the_mail(self, text: str) -> None:
        new, _ = new_part(text)
        rest = iter("".join(text.split()))
        assert all(letter in rest for letter in "".join(new.split()))

    def test_a_line_made_to_be_slow_is_not(self) -> None:
        new_part("\n".join(["On " + "wrote" * 20_000, "在 1" + "写道" * 20_000, "a<" * 20_000, ">" * 100_000]))


class TestHtml:
    def test_html_becomes_lines_without_anything_that_is_not_words(self) -> None:
        page = (
            "<html><head><title>no</title><style>p{}</style></head><body><script>alert(1)</script>"
            "<p>Hello&nbsp;<b>Ann</b></p><div>one<br>two</div><ul><li>a</li><li>b</li></ul>"
            '<a href="https://shop.example/x">the page</a> <img src="https://evil.example/pixel.png">'
            '<a href="javascript:alert(1)">press</a></body></html>'
        )
        assert text_of(page) == "Hello Ann\n\none\ntwo\n- a\n- b\nthe page (https://shop.example/x) press"

    @pytest.mark.parametrize(
        "quotation",
        [
            "<blockquote>old</blockquote>",
            '<div class="gmail_quote"><div class="gmail_attr">On Monday Shop wrote:<br></div><blockquote>old</blockquote></div>',
            '<div id="divRplyFwdMsg"><b>From:</b> Shop<br><b>Sent:</b> Monday</div>',
            '<div class="yahoo_quoted">old</div>',
            "<div>------------------&nbsp;原始邮件&nbsp;------------------</div><div>发件人: x</div><div>old</div>",
        ],
    )
    def test_quotations_of_mail_programs_are_cut(self, quotation: str) -> None:
        assert new_part(text_of(f"<div>It is number 2</div><br>{quotation}"))[0] == "It is number 2"

    @settings(max_examples=60, deadline=None)
    @given(
        st.text(max_size=200)
        | st.lists(st.sampled_from(["<p>", "</div>", "<!", "<![x", "&#0;", "<a href=", "<blockquote>", ">", "x"])).map(
            "".join
        )
    )
    def test_any_html_is_read(self, page: str) -> None:
        assert "<script" not in text_of(page + "<script>x</script>")

    def test_pages_nested_without_end_are_read(self) -> None:
        assert "deep" in text_of("<div>" * 20_000 + "deep")
        assert "deep" in text_of("<blockquote>" * 5_000 + "deep")


class TestMime:
    @pytest.mark.parametrize(
        ("charset", "encoding"),
        [
            ("gb2312", "gb18030"),
            ("GBK", "gbk"),
            ("gb18030", "gb18030"),
            ("big5", "big5"),
            ("utf-8", "utf-8"),
            ("x-unknown", "gb18030"),
            ("us-ascii", "utf-8"),
            ("", "utf-8"),
        ],
    )
    def test_chinese_charsets_are_read_also_when_the_label_is_wrong(self, charset: str, encoding: str) -> None:
        said = "我想退貨" if encoding == "big5" else "我想退货，谢谢"
        label = f'; charset="{charset}"' if charset else ""
        assert taken(written(f"Content-Type: text/plain{label}", said.encode(encoding))).text == said

    def test_broken_encodings_are_read_as_well_as_they_can_be(self) -> None:
        assert (
            "caf=ZZ"
            in taken(
                written("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"caf=ZZ =\r\nx=")
            ).text
        )
        assert (
            taken(written("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", b"aGVsbG8")).text == "hello"
        )
        assert taken(written("Content-Type: multipart/mixed; boundary=x", b"--x\r\n\r\nno end")).text == "no end"
        assert taken(written("Content-Type: multipart/mixed", b"no boundary")).text == "no boundary"

    def test_plain_text_is_preferred_and_html_read_where_there_is_none(self) -> None:
        both = mail(ANN, "Hi", "the plain words")
        both.add_alternative("<p>the html words</p>", subtype="html")
        assert taken(both).text == "Hi\n\nthe plain words"
        only = mail(ANN, "", "x")
        only.set_content("<p>the html words</p>", subtype="html")
        assert taken(only).text == "the html words"

    def test_flowed_lines_are_joined(self) -> None:
        raw = written("Content-Type: text/plain; format=flowed", b"one \r\nline\r\nand another")
        assert taken(raw).text == "one line\nand another"

    def test_attachments_are_kept_and_pictures_of_signatures_are_not(self) -> None:
        message = mail(ANN, "Hi", "see the picture")
        page = '<p>see <img src="cid:new@x"></p><div class="gmail_quote"><img src="cid:logo@x"></div>'
        message.add_alternative(page, subtype="html")
        html = message.get_payload()[1]  # type: ignore[index]
        html.add_related(b"\x89PNG new", "image", "png", cid="<new@x>")  # type: ignore[union-attr]
        html.add_related(b"\x89PNG logo", "image", "png", cid="<logo@x>")  # type: ignore[union-attr]
        message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="发票 1.pdf")
        files = taken(message).content.files
        assert [(file.kind, file.content) for file in files] == [("image", b"\x89PNG new"), ("file", b"%PDF-1")]
        assert files[1].name == "发票 1.pdf"

    def test_a_mail_inside_a_mail_is_a_file(self) -> None:
        message = mail(ANN, "Hi", "look at this")
        message.add_attachment(mail("bob@x.example", "inner", "inner words"))
        (file,) = taken(message).content.files
        assert b"inner words" in file.content

    def test_too_many_and_too_large_files_do_not_hide_the_words(self) -> None:
        message = mail(ANN, "Hi", "many")
        for _ in range(25):
            message.add_attachment(b"x", maintype="application", subtype="zip", filename="a.zip")
        mail_ = taken(message)
        assert (len(mail_.content.files), mail_.text) == (21, "Hi\n\nmany")
        large = mail(ANN, "Hi", "large")
        large.add_attachment(b"x" * (10 * 1024 * 1024 + 1), maintype="application", subtype="zip", filename="a.zip")
        assert taken(large).content.files[0].content == b""

    def test_parts_nested_without_end_are_read(self) -> None:
        body = b""
        for depth in range(2_000):
            body += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
        read(written("X: y", b"")[:-2] + body + b"\r\ndeep", RULES)
        read(b"From: a@b.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 2_000, RULES)

    def test_parts_without_number_are_not_made_objects_of(self) -> None:
        found = taken(written("Content-Type: multipart/mixed; boundary=x", b"words\r\n" + b"--x\r\n\r\n" * 1_000_000))
        assert found.text.startswith("words")

    @settings(max_examples=150, deadline=None)
    @example(b"From: a@b.example\r\nContent-Type: text/plain; charset*=utf-8''%zz\r\n\r\nx")
    @example(b"From: =?utf-8?b?!!!?= <a@b.example>\r\nSubject: =?x?q?=zz?=\r\nDate: 99 Foo\r\n\r\n")
    @example(b"From: a@b.example\r\nContent-Disposition: attachment; filename*0*=x''; filename*1=\r\n\r\nx")
    @given(st.binary(max_size=600))
    def test_any_bytes_are_read(self, raw: bytes) -> None:
        found = read(b"From: a@b.example\r\n" + raw, RULES)
        assert isinstance(found, Mail | Ignored)
        read(raw, RULES)

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(
            st.sampled_from(
                [
                    "From: a@b.example",
                    "Content-Type: multipart/mixed; boundary=b",
                    "Content-Type: text/html; charset=big5",
                    "--b",
                    "--b--",
                    "",
                    "",
                    "Content-Transfer-Encoding: base64",
                    "Subject: =?gbk?B?xOO6",
                    "> x",
                    'Content-Disposition: attachment; filename="a\x00b',
                    "Content-Type: message/rfc822",
                    "AAAA=",
                    "\u00ff",
                ]
            ),
            max_size=30,
        )
    )
    def test_any_arrangement_of_parts_is_read(self, lines: list[str]) -> None:
        content_of(parsed("\r\n".join(lines).encode("latin-1", "replace")), 1000)


class TestWhoWrote:
    def test_the_address_is_the_senders_and_only_its_domain_is_made_small(self) -> None:
        message = mail(
            "=?utf-8?b?5p2O6Zu3?= <Li.Lei@KEHU.Example>", "Hi", "x", Authentication_Results=f"{AUTHSERV}; dmarc=pass"
        )
        found = taken(message)
        assert (str(found.contact), found.name) == ("Li.Lei@kehu.example", "李雷")

    def test_subject_and_words_are_the_first_message_and_replies_are_the_words_alone(self) -> None:
        first = taken(mail(ANN, "Re: 咨询", "怎么退货"))
        assert (first.text, first.language) == ("咨询\n\n怎么退货", "zh")
        answer = mail(ANN, "回复：咨询", "2")
        answer["In-Reply-To"] = MARKS.message_id(first.contact, "a" * 32, 0)
        found = taken(answer)
        assert (found.text, found.contact, found.bound) == ("2", first.contact, True)

    def test_a_mail_without_words_says_its_subject(self) -> None:
        assert taken(mail(ANN, "How do I return a kite?", "")).text == "How do I return a kite?"

    def test_nothing_in_from_makes_somebody_somebody_else(self) -> None:
        good = mail(ANN, "Hi", "x", Authentication_Results=f"{AUTHSERV}; dmarc=pass header.from=shop.example")
        assert (taken(good).contact, taken(good).vouched) == (Contact(ANN), True)
        assert not taken(good, Rules(DESK, MARKS, AUTHSERV, separate_unproven=False)).vouched  # the next may be forged
        for results in (
            "",
            f"{AUTHSERV}; dmarc=fail",
            f"{AUTHSERV}; spf=pass; dkim=pass",
            "mx.evil.example; dmarc=pass",
            f"{AUTHSERV}; dmarc=pass header.from=evil.example",
            f'{AUTHSERV}; spf=pass smtp.mailfrom="; dmarc=pass"@evil.example; dmarc=fail',
            f'{AUTHSERV}; spf=pass smtp.mailfrom="x; dmarc=pass header.from=shop.example;',
            f"{AUTHSERV}; spf=pass (a; dmarc=pass ; b); dmarc=fail",
            f"{AUTHSERV}; dmarc=passable",
            f"{AUTHSERV}; dmarc=pass; dmarc=fail",
        ):
            message = mail(ANN, "Hi", "x", **({"Authentication_Results": results} if results else {}))
            contact = taken(message).contact
            assert not taken(message).vouched, results
            assert contact.email == ANN
            assert contact.thread, results

    def test_results_that_came_with_the_mail_do_not_count(self) -> None:
        message = mail(ANN, "Hi", "x").as_bytes()
        forged = f"Authentication-Results: {AUTHSERV}; dmarc=fail\r\nAuthentication-Results: {AUTHSERV}; dmarc=pass\r\n"
        assert taken(forged.encode() + message).contact.thread

    def test_a_thread_belongs_to_whom_it_was_sent_to_and_no_token_can_be_made_up(self) -> None:
        first = taken(mail(ANN, "Hi", "x")).contact
        token = MARKS.reply_address(first)
        assert len(token.partition("@")[0]) <= 64

        def bound(sender: str, to: str) -> bool:
            message = mail(sender, "Hi", "again")
            message.replace_header("To", to)
            return taken(message).contact == first

        assert bound(ANN, token)
        assert bound(ANN, token.upper())
        assert not bound("mallory@shop.example", token)
        for place, letter in itertools.product((-25, -20, -15), "a7"):
            changed = token[:place] + letter + token[place + 1 :]
            assert changed == token or not bound(ANN, changed)
        other = Marks(b"another secret", "default", DESK)
        assert not bound(ANN, other.reply_address(first))
        forged = mail(ANN, "Hi", "again", References=other.message_id(first, "a" * 32, 0))
        assert taken(forged).contact != first

    def test_the_same_mail_read_again_is_the_same_message(self) -> None:
        raw = mail(ANN, "Hi", "x").as_bytes()
        assert taken(raw) == taken(raw)
        without = raw.replace(b"Message-ID", b"X-Nothing")
        assert taken(without).external_id == taken(without).external_id
        assert taken(without).external_id.startswith("sha256:")
        assert taken(raw).external_id != taken(raw.replace(b"Ann@", b"Bob@")).external_id

    @given(st.text(max_size=30))
    def test_no_address_ends_a_line(self, text: str) -> None:
        if fits(text):
            assert not set(text) & set("\r\n \t<>,;\x00")
        contact = Contact.read(text)
        assert contact is None or str(contact) == text or "#" in text


class TestMachines:
    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ({"Auto_Submitted": "auto-replied"}, "automatic"),
            ({"Auto_Submitted": "auto-generated; x=y"}, "automatic"),
            ({"X_Autoreply": "yes"}, "automatic"),
            ({"X_Auto_Response_Suppress": "All"}, "automatic"),
            ({"Precedence": "bulk"}, "list"),
            ({"Precedence": "list"}, "list"),
            ({"List_Id": "<news.shop.example>"}, "list"),
            ({"Return_Path": "<>"}, "bounce"),
            ({"X_Loop": DESK}, "own"),
        ],
    )
    def test_mails_of_machines_are_ignored(self, headers: dict[str, str], reason: str) -> None:
        found = read(mail(ANN, "Hi", "x", **headers).as_bytes(), RULES)
        assert isinstance(found, Ignored)
        assert found.reason == reason

    @pytest.mark.parametrize(
        ("sender", "subject", "reason"),
        [
            (DESK, "Hi", "own"),
            ("Support+fd-x@Desk.Example", "Hi", "own"),
            ("MAILER-DAEMON@x.example", "Undelivered", "bounce"),
            ("no-reply@x.example", "Hi", "automatic"),
            (ANN, "自动回复：咨询", "automatic"),
            (ANN, "Automatic reply: Hi", "automatic"),
            (ANN, "Out of Office", "automatic"),
            ("nobody", "Hi", "no_sender"),
            ("", "Hi", "no_sender"),
        ],
    )
    def test_own_mails_bounces_and_absences_are_ignored(self, sender: str, subject: str, reason: str) -> None:
        found = read(mail(sender, subject, "x").as_bytes(), RULES)
        assert isinstance(found, Ignored)
        assert found.reason == reason

    def test_people_may_say_that_no_machine_wrote(self) -> None:
        assert taken(mail(ANN, "Automatic doors", "x", Auto_Submitted="no")).text.startswith("Automatic doors")


class TestAsMessages:
    def test_what_was_cut_goes_along_as_a_file_but_not_with_a_choice(self) -> None:
        long = mail(
            ANN, "Hi", "Thank you, but I have another question about the second kite in my order.\n\n-- \nAnn Lee"
        )
        arrival = mailbox().arrival_of(taken(long))
        assert [media.name for media in arrival.media] == ["whole mail.txt"]
        choice = mail(ANN, "Re: Hi", "2\n\nOn Monday, Shop <a@b.example> wrote:\n> old")
        choice["In-Reply-To"] = MARKS.message_id(Contact(ANN), "a" * 32, 0)
        arrival = mailbox().arrival_of(taken(choice))
        assert (arrival.message.text, arrival.media) == ("2", ())

    async def test_a_text_longer_than_the_desk_takes_is_a_file_as_well(self) -> None:
        connector = mailbox()
        arrival = connector.arrival_of(taken(mail(ANN, "长信", "很长。" * 10_000)))
        assert len(arrival.message.text) < 20_000
        name, content = await connector.fetch(arrival.media[0])
        assert (name, content.decode().count("很长。")) == ("原邮件.txt", 10_000)
