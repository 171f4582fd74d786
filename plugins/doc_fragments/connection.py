# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - The kubeconfig of the cluster, as a path, as several paths joined by V(:), or as its content in a dictionary.
      - V(in-cluster) takes the service account of the pod that the task runs in. It is never taken unasked.
      - Can also be set with E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - The context of the kubeconfig.
      - Can also be set with E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - The URL of the API server.
      - Can also be set with E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - The bearer token for the API server.
      - Can also be set with E(K8S_AUTH_API_KEY).
    type: str
  validate_certs:
    description:
      - Whether the API server's certificate is verified. It is, unless this or the kubeconfig says otherwise.
      - Can also be set with E(K8S_AUTH_VERIFY_SSL) or E(K8S_AUTH_VALIDATE_CERTS).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description:
      - The file with the certificate authority of the API server.
      - Can also be set with E(K8S_AUTH_SSL_CA_CERT) or E(K8S_AUTH_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - The file with the client certificate.
      - Can also be set with E(K8S_AUTH_CERT_FILE) or E(K8S_AUTH_CLIENT_CERT).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - The file with the key of O(client_cert).
      - Can also be set with E(K8S_AUTH_KEY_FILE) or E(K8S_AUTH_CLIENT_KEY).
    type: path
    aliases: [key_file]
  proxy:
    description:
      - The URL of the HTTP proxy to go through, for instance one on a bastion.
      - Can also be set with E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - A comma-separated list of hosts that are reached without O(proxy).
      - Can also be set with E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for O(proxy).
      - Each can also be set with E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH), E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH) and
        E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
    type: dict
    suboptions:
      proxy_basic_auth:
        description: The user and password for the proxy, with a colon between.
        type: str
      basic_auth:
        description: The user and password of the header C(Authorization), with a colon between.
        type: str
      user_agent:
        description: The header C(User-Agent).
        type: str
  impersonate_user:
    description:
      - The user to act as.
      - Can also be set with E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - The groups to act as a member of.
      - Can also be set with E(K8S_AUTH_IMPERSONATE_GROUPS), with commas between.
    type: list
    elements: str
  cluster_uid:
    description:
      - The UID of the namespace C(kube-system), which tells clusters apart.
      - When given, a cluster with another one is refused.
    type: str
  retry_seconds:
    description: How long an API server that does not answer is asked again.
    type: float
    default: 60.0
"""
