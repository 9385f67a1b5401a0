/** Objects as files: for `kubectl apply -f`, and as a base and overlays of kustomize. */
import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'yaml'
import type { KubernetesObject } from './object.ts'

/** What tells a file that may be written anew from one of somebody's own. */
export const HEADER = '# Made by `runner k8s render`: what is changed here is lost.'

/** A document for each, without shared anchors. */
export const yamlOf = (objects: readonly object[]): string =>
  objects
    .map(object => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, singleQuote: true }))
    .join('---\n')

/** Text by path: a file for each object, and a `kustomization.yaml` that names them after those of `resources`. */
function folderOf(
  folder: string,
  objects: readonly KubernetesObject[],
  resources: readonly string[] = [],
): Record<string, string> {
  const own = Object.fromEntries(objects.map(object => [nameOf(object), object]))
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...resources, ...Object.keys(own)],
  }
  const texts = Object.entries({ ...own, 'kustomization.yaml': kustomization })
  return Object.fromEntries(
    texts.map(([file, object]) => [`${folder}${file}`, `${HEADER}\n${yamlOf([object])}`]),
  )
}

const nameOf = ({ kind, metadata }: KubernetesObject): string =>
  `${kind.toLowerCase()}-${metadata?.name ?? ''}.yaml`

/** Of one environment. */
export const filesOf = (objects: readonly KubernetesObject[]): Record<string, string> => folderOf('', objects)

/** Of all: what they have in common in `base/`, the rest of each in `overlays/<environment>/`. */
export function layoutOf(
  environments: Readonly<Record<string, readonly KubernetesObject[]>>,
): Record<string, string> {
  const [first = [], ...others] = Object.values(environments)
  const isShared = (object: KubernetesObject) =>
    others.every(objects => objects.some(other => isDeepStrictEqual(other, object)))
  const base = first.filter(isShared)
  const isOwn = (object: KubernetesObject) => !base.some(shared => isDeepStrictEqual(shared, object))
  const overlays = Object.entries(environments).map(([name, objects]) =>
    folderOf(`overlays/${name}/`, objects.filter(isOwn), base.length > 0 ? ['../../base'] : []),
  )
  return Object.assign({}, base.length > 0 ? folderOf('base/', base) : {}, ...overlays) as Record<
    string,
    string
  >
}
