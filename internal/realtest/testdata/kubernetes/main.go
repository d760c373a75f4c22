// Command kubernetes reads manifests of Kubernetes from the standard input and
// writes them as a JSON array. It knows the types of Kubernetes, and fails on a
// field that these do not have or a value that is not of the field's type.
//
// It is a module of its own, so that the project does not depend on Kubernetes.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var objects []any
	for i, document := range bytes.Split(input, []byte("\n---\n")) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return fmt.Errorf("document %d: %w", i, err)
		}
		var object any
		switch kind.APIVersion + "/" + kind.Kind {
		case "v1/ConfigMap":
			object = new(corev1.ConfigMap)
		case "apps/v1/Deployment":
			object = new(appsv1.Deployment)
		default:
			return fmt.Errorf("document %d: kind %s of %s is not known here", i, kind.Kind, kind.APIVersion)
		}
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			return fmt.Errorf("document %d: %w", i, err)
		}
		objects = append(objects, object)
	}
	return json.NewEncoder(os.Stdout).Encode(objects)
}
