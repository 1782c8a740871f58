// Loads one structured report (DICOM JSON on standard input) with OHIF's published SR handler and prints what
// came of it as one line of JSON. Arguments: the folders of the handler's package and of dcmjs.
//
// The handler is a browser bundle that expects the rest of OHIF around it. What it needs for reading a report is
// small; everything else is a stand-in that takes any call and answers with itself.
'use strict';
const path = require('path');
const Module = require('module');

const [handlerFolder, dcmjsFolder] = process.argv.slice(2);
const dcmjs = require(path.join(dcmjsFolder, 'build', 'dcmjs.js'));

const anything = () => {
  const stand = new Proxy(function () {}, {
    get: (_, name) => (name === Symbol.toPrimitive ? () => '' : name === '__esModule' ? false : stand),
    apply: () => stand,
    construct: () => stand,
  });
  return stand;
};

const overlaid = real => new Proxy(real, { get: (target, name) => (name in target ? target[name] : anything()) });

const SR = '1.2.840.10008.5.1.4.1.1.88.';
const core = overlaid({
  utils: overlaid({
    guid: () => 'guid',
    sortStudyInstances: () => undefined,
    sortDisplaySetsCopy: sets => sets,
    sopClassDictionary: {
      BasicTextSR: SR + '11', EnhancedSR: SR + '22', ComprehensiveSR: SR + '33', Comprehensive3DSR: SR + '34',
    },
  }),
  classes: overlaid({ ImageSet: class {}, MetadataProvider: class {} }),
});
// Cornerstone's own vocabulary, by which the handler tells its annotations from others'.
const adapters = overlaid({
  adaptersSR: {
    Cornerstone3D: {
      CodeScheme: { CodingSchemeDesignator: 'CORNERSTONEJS', codeValues: { CORNERSTONEFREETEXT: 'CORNERSTONEFREETEXT' } },
      TEXT_ANNOTATION_POSITION: { value: 'TEXT_ANNOTATION_POSITION', schemeDesignator: 'CORNERSTONEJS' },
      COMMENT_CODE: { value: '121106', schemeDesignator: 'DCM' },
      MeasurementReport: {
        getAdapterForTrackingIdentifier: () => undefined,
        getAdaptersForTypes: () => undefined,
      },
    },
  },
});

const stands = { '@ohif/core': core, '@cornerstonejs/adapters': adapters };
const load = Module._load;
Module._load = (request, ...rest) =>
  /^(@ohif|@cornerstonejs|gl-matrix)/.test(request) ? stands[request] || anything() : load(request, ...rest);

const warnings = [];
console.warn = (...said) => warnings.push(said.map(String).join(' '));
console.log = () => undefined;

const main = async text => {
  const naturalized = dcmjs.data.DicomMetaDictionary.naturalizeDataset(JSON.parse(text));
  const extension = require(path.join(handlerFolder, 'dist', 'ohif-extension-cornerstone-dicom-sr.umd.js')).default;
  const services = {
    displaySetService: { activeDisplaySets: [], subscribe: () => undefined, EVENTS: {} },
    measurementService: { getSourceMappings: () => [] },
  };
  const given = { servicesManager: { services }, extensionManager: { getDataSources: () => [anything()] } };
  const handlers = extension.getSopClassHandlerModule(given);
  const handler = handlers.find(one => one.sopClassUids.includes(naturalized.SOPClassUID));
  const [set] = handler.getDisplaySetsFromSeries([naturalized]);
  let failure = '';
  try {
    await set.load();
  } catch (error) {
    failure = String(error.stack || error);
  }
  const measurements = set.measurements || [];
  const answer = {
    failure,
    is_loaded: set.isLoaded,
    referenced_images: (set.referencedImages || []).length,
    measurements: measurements.map(one => one.labels.map(label => `${label.label}: ${label.value}`)),
    coordinates: measurements.map(one => one.coords.length),
    warnings,
  };
  process.stdout.write(JSON.stringify(answer) + '\n');
};

let input = '';
process.stdin.setEncoding('utf8').on('data', piece => (input += piece)).on('end', () => main(input));
