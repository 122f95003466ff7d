"""The fixtures and the marker for users, in test suites like theirs."""

from __future__ import annotations

import pytest
import trustme  # noqa: F401 - else a test suite below loads it first, and it cannot be loaded a second time

from novaact_http.testing import _expectations, make_page, replay

ALONE = ("-W", "error", "-p", "no:randomly", "-p", "no:xdist")
LOOP_SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
SYNCHRONOUS = """
    import pytest
    from novaact_http import RetryPolicy, errors

    def call(service):
        run = service.runs[0]
        return {"workflow_definition_name": run.workflow_definition_name, "workflow_run_id": run.workflow_run_id}

    def test_a_client_lists_what_the_service_has(novaact_service, novaact_client):
        sessions = list(novaact_client.iter_sessions(**call(novaact_service)))
        assert [each.session_id for each in sessions] == list(novaact_service.runs[0].session_ids)
        assert len(novaact_service.requests) == 1

    def test_each_test_has_a_service_of_its_own(novaact_service):
        assert novaact_service.requests == []

    def test_a_client_gets_other_credentials_when_these_expire(novaact_service, novaact_client):
        novaact_client.list_sessions(**call(novaact_service))
        novaact_service.expire_credentials()
        novaact_client.list_sessions(**call(novaact_service))

    @pytest.mark.novaact_service("ConflictException next 1", "ThrottlingException every 2")
    def test_faults_come_as_marked(novaact_service, novaact_client):
        client = novaact_client.with_options(retries=RetryPolicy(mode="off"))
        with pytest.raises(errors.ConflictException):
            client.list_sessions(**call(novaact_service))
        with pytest.raises(errors.ThrottlingException):
            client.list_sessions(**call(novaact_service))
        client.list_sessions(**call(novaact_service))

    @pytest.mark.novaact_service(tls=True, definitions={"a": [1]})
    class TestOptions:
        def test_of_the_class(self, novaact_service, novaact_client):
            assert novaact_service.url.startswith("https:")
            assert len(novaact_client.list_sessions(**call(novaact_service)).session_summaries) == 1

        @pytest.mark.novaact_service("reset next 1", definitions={"a": [2]})
        def test_that_of_the_test_comes_before_that_of_the_class(self, novaact_service, novaact_client):
            assert novaact_service.url.startswith("https:")
            assert len(novaact_client.list_sessions(**call(novaact_service)).session_summaries) == 2
            assert len(novaact_service.requests) == 2

    @pytest.mark.novaact_service("nonsense 3")
    def test_that_cannot_be(novaact_service):
        pass
"""

ASYNCHRONOUS = """
    import pytest

    def call(service):
        run = service.runs[0]
        return {{"workflow_definition_name": run.workflow_definition_name, "workflow_run_id": run.workflow_run_id}}

    {mark}
    @pytest.mark.parametrize("number", range(2))
    async def test_a_client_lists_what_the_service_has(novaact_service, novaact_async_client, number):
        run = novaact_service.runs[0]
        sessions = [each async for each in novaact_async_client.iter_sessions(**call(novaact_service))]
        assert [each.session_id for each in sessions] == list(run.session_ids)
"""


def test_the_fixtures_and_the_marker_work(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SYNCHRONOUS)
    result = pytester.runpytest_inprocess("--strict-markers", "-p", "no:asyncio", *ALONE)
    result.assert_outcomes(passed=6, errors=1)
    result.stdout.fnmatch_lines(["*ValueError: 'nonsense 3' is not a fault: *"])


def test_a_marker_without_the_fixture_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.novaact_service("reset next 1")
        def test_a():
            pass

        @pytest.mark.novaact_service("reset next 1")
        def test_b(novaact_client):
            novaact_client.list_workflow_definitions()
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio", *ALONE)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["the marker novaact_service does nothing in a test without the fixture*"])


def test_the_fixtures_for_applications_and_for_retries(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    pytester.makepyfile(
        """
        import os
        import pytest
        from novaact_http import Client

        def test_an_application_makes_its_own_client(novaact_environ, novaact_service):
            with Client() as client:
                assert len(list(client.iter_workflow_definitions())) == 3
            assert novaact_environ["AWS_REGION"] == os.environ["AWS_REGION"] == novaact_service.region
            assert "AWS_PROFILE" not in os.environ

        @pytest.mark.novaact_service(credentials_lifetime=900)
        def test_an_application_gets_temporary_credentials(novaact_environ, novaact_service):
            assert os.environ["AWS_SESSION_TOKEN"] == novaact_service.credentials.session_token
            with Client() as client:
                client.list_workflow_definitions()

        @pytest.mark.novaact_service("ThrottlingException next 2")
        def test_a_retry_is_not_waited_for(novaact_environ, novaact_service, novaact_client):
            novaact_client.list_workflow_definitions()
            assert len(novaact_service.calls) == 3
            assert novaact_client.with_options()._context.retries.rng() == 0
        """
    )
    pytester.runpytest_inprocess("-p", "no:asyncio", *ALONE).assert_outcomes(passed=3)


def test_the_marker_is_listed(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--markers", "-p", "no:asyncio")
    result.stdout.fnmatch_lines(["@pytest.mark.novaact_service(*faults, [*][*]options): *"])


@pytest.mark.parametrize(
    ("mark", "options"),
    [
        ("@pytest.mark.asyncio", ["-p", "no:anyio", *LOOP_SCOPE]),
        ("", ["--asyncio-mode=auto", *LOOP_SCOPE]),
        ("@pytest.mark.anyio", ["-p", "no:asyncio"]),
    ],
    ids=["pytest-asyncio", "pytest-asyncio, auto", "anyio"],
)
def test_the_asynchronous_client_works_with_the_plugins_for_asyncio(
    pytester: pytest.Pytester, mark: str, options: list[str]
) -> None:
    pytester.makepyfile(ASYNCHRONOUS.format(mark=mark))
    pytester.makeconftest('import pytest\n\n@pytest.fixture\ndef anyio_backend(): return "asyncio"\n')
    result = pytester.runpytest_inprocess(*ALONE, *options)
    result.assert_outcomes(passed=2)


def test_it_works_with_xdist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SYNCHRONOUS)
    # Without the plugins of other packages, which each of the three processes would import.
    others = ("asyncio", "anyio", "hypothesispytest", "pytest_cov", "pytest_httpx", "randomly", "respx")
    result = pytester.runpytest_subprocess("-n", "2", *[f"-pno:{each}" for each in others])
    result.assert_outcomes(passed=6, errors=1)


def test_it_loads_nothing_for_users_of_no_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            assert "novaact_http.testing.pytest_plugin" in sys.modules
            assert not {"botocore", "httpx", "novaact_http._clients.blocking", "novaact_http.errors"} & set(sys.modules)
        """
    )
    # Without the plugins of two other packages, which import httpx.
    result = pytester.runpytest_subprocess("-p", "no:pytest_httpx", "-p", "no:respx", "-p", "no:asyncio")
    result.assert_outcomes(passed=1)


def test_a_test_that_does_not_use_what_it_prepares_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import unittest
        import pytest
        from novaact_http import TransportError
        from novaact_http.testing import LocalService, make_page, replay

        @pytest.fixture
        def prepared():
            return replay([make_page()])

        def test_answers_in_a_fixture_are_left(prepared):
            pass

        def test_answers_are_left():
            replay([make_page(), make_page()], allow_unused=True)
            replay([make_page(), make_page()])

        def test_of_two_faults_one_came(novaact_service, novaact_client):
            novaact_service.inject("reset next 4")
            with pytest.raises(TransportError):
                novaact_client.list_workflow_definitions()

        @pytest.mark.novaact_service("ThrottlingException every 3rd", "reset 0.001 %")
        def test_a_fault_of_the_marker_did_not_come(novaact_service, novaact_client):
            novaact_client.list_workflow_definitions()

        @pytest.fixture(scope="module")
        def shared():
            with LocalService() as service:
                yield service

        def test_shares_a_service(shared):
            pass

        def test_a_fault_of_a_shared_service_did_not_come(shared):
            shared.inject("reset")
            shared.inject("stall")

        def test_shares_a_service_with_old_faults(shared):
            pass

        class TestOfUnittest(unittest.TestCase):
            def test_a_fault_of_ones_own_service_did_not_come(self):
                with LocalService() as service:
                    service.answer_next(502)

        @pytest.mark.novaact_service("ThrottlingException every 3rd", allow_unused=True)
        def test_it_is_meant(novaact_service):
            novaact_service.inject("reset", allow_unused=True)
            novaact_service.fail_next("ConflictException", times=3, allow_unused=True)
            novaact_service.answer_next(502, allow_unused=True)

        def test_it_is_taken_back(novaact_service):
            novaact_service.inject("reset")
            novaact_service.clear_faults()

        @pytest.mark.novaact_service("reset next 1")
        def test_that_fails_says_why(novaact_service):
            assert novaact_service.calls == ["something"]

        @pytest.mark.novaact_service("reset next 1")
        def test_that_skips_is_skipped(novaact_service):
            pytest.skip("no")
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio", *ALONE)
    result.assert_outcomes(passed=4, failed=7, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "1 of 1 answers of replay() were not used; if that is meant, pass allow_unused=True",
            "2 of 2 answers of replay() were not used; if that is meant, pass allow_unused=True",
            "faults that did not come: reset (3 of 4); if that is meant, pass allow_unused=True, or *",
            "faults that did not come: ThrottlingException; if *",
            "faults that did not come: reset, stall; if *",
            "faults that did not come: the answer with status 502 (0 of 1); if *",
            "E * assert * == ?'something'?",
        ]
    )


def test_nothing_is_kept_outside_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_expectations, "_expected", None)
    answers = replay([make_page()])
    assert _expectations.unused() == ""
    with _expectations.collected():
        _expectations.expect(answers)
        assert _expectations.unused().startswith("1 of 1 answers")
    assert _expectations.unused() == ""
