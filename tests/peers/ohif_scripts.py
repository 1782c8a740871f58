"""What is asked of OHIF's page, in its own language. All of it reads the page; only STEP moves it on."""

from typing import Final

RECORD_FAULTS: Final = """
localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']));
window.recordedFaults = [];
addEventListener('error', event => {
  if (event.message) recordedFaults.push('error: ' + event.message);
});
addEventListener('unhandledrejection', event => {
  recordedFaults.push('rejection: ' + ((event.reason && event.reason.message) || event.reason));
});
"""

STATE: Final = """
() => {
  const services = window.services;
  if (!services || !services.displaySetService || !services.viewportGridService) return null;
  const attempt = (ask, otherwise) => { try { return ask() ?? otherwise; } catch { return otherwise; } };
  const slot = attempt(() => [...services.viewportGridService.getState().viewports.values()][0], null);
  const viewport = slot && attempt(
    () => services.cornerstoneViewportService.getCornerstoneViewport(slot.viewportId), null);
  const pane = document.querySelector('[data-cy="viewport-pane"]');
  const canvas = pane && pane.querySelector('canvas');
  const spread = () => {
    const small = document.createElement('canvas');
    small.width = small.height = 64;
    const pencil = small.getContext('2d');
    pencil.drawImage(canvas, 0, 0, 64, 64);
    const bytes = pencil.getImageData(0, 0, 64, 64).data;
    let sum = 0, squares = 0;
    for (let i = 0; i < bytes.length; i += 4) { sum += bytes[i]; squares += bytes[i] * bytes[i]; }
    const n = bytes.length / 4;
    return Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
  };
  const texts = (root, selector) => root ? [...root.querySelectorAll(selector)].map(e => e.textContent) : [];
  return {
    sets: services.displaySetService.getActiveDisplaySets().map(set => ({
      uid: set.displaySetInstanceUID, series: set.SeriesInstanceUID, modality: set.Modality,
      unsupported: Boolean(set.unsupported), loaded: set.isLoaded ?? null,
      measurements: (set.measurements || []).map(one => ({
        placed: Boolean(one.loaded), labels: (one.labels || []).map(label => label.label + ': ' + label.value),
      })),
    })),
    shown: slot ? slot.displaySetInstanceUIDs || [] : [],
    status: viewport ? viewport.viewportStatus : null,
    image: attempt(() => viewport.getCurrentImageId(), ''),
    index: attempt(() => viewport.getCurrentImageIdIndex(), -1),
    images: attempt(() => viewport.getImageIds().length, 0),
    spread: canvas && canvas.width ? attempt(spread, 0) : 0,
    thumbnails: document.querySelectorAll('[data-cy^="study-browser-thumbnail"]').length,
    text: pane ? pane.innerText : '',
    overflows: Boolean(pane) && [...pane.querySelectorAll('*')].some(e => e.scrollWidth > pane.clientWidth),
    labels: texts(pane, 'svg.svg-layer tspan'),
    boxes: pane ? [...pane.querySelectorAll('svg.svg-layer text')].map(element => {
      const box = element.getBoundingClientRect();
      return [box.left, box.top, box.right, box.bottom];
    }) : [],
    toasts: [...document.querySelectorAll('[data-sonner-toast]')]
      .filter(toast => toast.dataset.type === 'error').map(toast => 'toast: ' + toast.innerText),
    faults: window.recordedFaults || [],
  };
}
"""

STEP: Final = """
async index => {
  const slot = [...services.viewportGridService.getState().viewports.values()][0];
  const viewport = services.cornerstoneViewportService.getCornerstoneViewport(slot.viewportId);
  await viewport.setImageIdIndex(index);
}
"""

PLACE: Final = """
([columns, rows]) => {
  const slot = [...services.viewportGridService.getState().viewports.values()][0];
  const viewport = services.cornerstoneViewportService.getCornerstoneViewport(slot.viewportId);
  const box = viewport.element.querySelector('canvas').getBoundingClientRect();
  const picture = viewport.getImageData().imageData;
  const onPage = (column, row) => {
    const [x, y] = viewport.worldToCanvas(picture.indexToWorld([column, row, 0]));
    return [x + box.x, y + box.y];
  };
  return {
    box: [box.x, box.y, box.width, box.height],
    corners: [onPage(0, 0), onPage(columns - 1, 0), onPage(0, rows - 1)],
  };
}
"""

HIDE_ALL_BUT_PICTURE: Final = """
[data-cy="viewport-pane"] * { visibility: hidden !important; }
[data-cy="viewport-pane"] canvas { visibility: visible !important; }
[data-sonner-toaster] { display: none !important; }
"""
