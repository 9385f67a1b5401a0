/** A tree of text lines, as `tree` prints folders. */

interface Shape<Node> {
  labelOf: (node: Node) => string
  childrenOf: (node: Node) => readonly Node[]
}

export function textTree<Node>(root: Node, { labelOf, childrenOf }: Shape<Node>): string {
  const lines: string[] = []
  const draw = (node: Node, head: string, body: string): void => {
    lines.push(head + labelOf(node))
    const children = childrenOf(node)
    for (const [i, child] of children.entries()) {
      const isLast = i === children.length - 1
      draw(child, body + (isLast ? '└─ ' : '├─ '), body + (isLast ? '   ' : '│  '))
    }
  }
  draw(root, '', '')
  return lines.join('\n')
}
