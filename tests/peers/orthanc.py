"""A real PACS: Debian's Orthanc, in a folder of its own, on free ports."""

import io
import json
import subprocess
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydicom import Dataset, dcmread

from tests.peers.presence import free_port, program

PLUGINS = Path("/usr/share/orthanc/plugins")


class Orthanc:
    """An Orthanc that lives as long as the `with` block; `stop` and `start` in between are a power cut.

    Its ports and what it stored survive `stop`. `url` is its REST interface; DICOMweb is under /dicom-web/
    if `dicomweb` is set; it syncs what it stores if `durable` is. `callers` may query, retrieve and ask for commitment: their titles, and their ports.
    """

    ae_title = "ORTHANC"

    def __init__(
        self,
        folder: Path,
        *,
        overwrite: bool = False,
        dicomweb: bool = False,
        callers: Mapping[str, int] | None = None,
        durable: bool = False,
    ) -> None:
        self._program = program("Orthanc")
        self.dicom_port = free_port()
        self.http_port = free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self._folder = folder
        self._log: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "Name": "tests",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "DicomAet": self.ae_title,
            "DicomPort": self.dicom_port,
            "DicomAlwaysAllowStore": True,
            "DicomCheckCalledAet": True,
            "DicomModalities": {title: [title, "127.0.0.1", port] for title, port in (callers or {}).items()},
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "OverwriteInstances": overwrite,
            "SyncStorageArea": durable,  # its default; what a killed process has written stays without
            "Plugins": [str(PLUGINS / "libOrthancDicomWeb.so")] if dicomweb else [],
        }
        (folder / "orthanc.json").write_text(json.dumps(settings))

    def start(self) -> None:
        """Start, and return when it says that it has started."""
        self._log.clear()
        self._process = subprocess.Popen(
            [self._program, str(self._folder / "orthanc.json")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        settled = threading.Event()
        self._reader = threading.Thread(target=self._listen, args=(self._process, settled), daemon=True)
        self._reader.start()
        settled.wait(timeout=60)
        if not any("Orthanc has started" in line for line in self._log):
            self.stop()
            raise AssertionError("Orthanc did not start:\n" + self.log)

    def _listen(self, process: subprocess.Popen[str], settled: threading.Event) -> None:
        """Keep its log; wake the waiter when it has started, or ended without."""
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self._log.append(line)
                if "Orthanc has started" in line:
                    settled.set()
        settled.set()

    @property
    def pid(self) -> int:
        """Its process number; 0 while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def storage(self) -> Path:
        """Where its files lie, and its index."""
        return self._folder / "storage"

    def stop(self) -> None:
        """End it at once; what it stored stays. (Asked to end, it takes seconds.)"""
        if self._process is None or self._reader is None:
            return
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process = self._reader = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it has logged since it started."""
        return "".join(self._log)

    def get(self, path: str) -> bytes:
        """One GET, for example `/instances`."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            body: bytes = answer.read()
            return body

    def delete(self, path: str) -> None:
        """One DELETE, for example `/instances/ID`."""
        request = urllib.request.Request(self.url + path, method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()

    def post(self, dataset: Dataset) -> None:
        """Store an instance by the way that people use."""
        whole = io.BytesIO()
        dataset.save_as(whole, enforce_file_format=True)
        request = urllib.request.Request(self.url + "/instances", data=whole.getvalue(), method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def order(self, path: str, what: object) -> Any:
        """One POST of JSON that answers JSON."""
        request = urllib.request.Request(self.url + path, data=json.dumps(what).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def json(self, path: str) -> Any:
        """One GET that answers JSON."""
        return json.loads(self.get(path))

    def instances(self) -> list[str]:
        """Orthanc's own identifiers of every instance it holds."""
        found: list[str] = self.json("/instances")
        return found

    def studies(self) -> list[dict[str, Any]]:
        """Every study, with its MainDicomTags, PatientMainDicomTags and Series."""
        found: list[dict[str, Any]] = self.json("/studies?expand")
        return found

    def series(self) -> list[dict[str, Any]]:
        """Every series, with its MainDicomTags and Instances."""
        found: list[dict[str, Any]] = self.json("/series?expand")
        return found

    def file(self, instance: str) -> bytes:
        """The Part 10 file of an instance, by Orthanc's identifier."""
        return self.get(f"/instances/{instance}/file")

    def dataset(self, instance: str) -> Dataset:
        """An instance, read."""
        return dcmread(io.BytesIO(self.file(instance)))

    def datasets(self, modality: str) -> list[Dataset]:
        """Every instance of the series of this modality ("SR", "OT", "MR"), read."""
        wanted = [one for one in self.series() if one["MainDicomTags"].get("Modality") == modality]
        return [self.dataset(instance) for one in wanted for instance in one["Instances"]]
